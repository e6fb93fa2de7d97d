"""Lists of the law: which of HIPAA's 18 identifiers and of the GDPR's special categories an entity is.

HIPAA: 45 CFR 164.514(b)(2)(i), by its letters (A) to (R). GDPR: article 9(1), and article 10 for convictions.
"""

from trustplane.data.classes import SensitivityClass

HIPAA = {
    "A": "names",
    "B": "geographic subdivisions smaller than a state",
    "C": "dates of an individual, and ages over 89",
    "D": "telephone numbers",
    "E": "fax numbers",
    "F": "e-mail addresses",
    "G": "social security numbers",
    "H": "medical record numbers",
    "I": "health plan beneficiary numbers",
    "J": "account numbers",
    "K": "certificate and license numbers",
    "L": "vehicle identifiers",
    "M": "device identifiers",
    "N": "web addresses",
    "O": "internet addresses",
    "P": "biometric identifiers",
    "Q": "full-face photographs",
    "R": "any other unique identifying number",
}
GDPR_9 = {
    "racial-or-ethnic-origin": "ETHNICITY",
    "political-opinions": "POLITICS",
    "religious-or-philosophical-beliefs": "RELIGION",
    "trade-union-membership": "UNION_MEMBERSHIP",
    "genetic-data": "GENETIC_DATA",
    "biometric-data": "BIOMETRIC_DATA",
    "health": "HEALTH ICD_CODE MEDICAL_RECORD_NUMBER HEALTH_PLAN_NUMBER US_MBI DE_HEALTH_INSURANCE UK_NHS AU_MEDICARE",
    "sex-life-or-sexual-orientation": "SEXUAL_ORIENTATION",
}
_HIPAA_ENTITIES = {
    "A": "PERSON",
    "B": "LOCATION POSTCODE UK_POSTCODE PLACE COORDINATES LATITUDE_LONGITUDE",
    "C": "DATE_OF_BIRTH AGE",
    "D": "PHONE_NUMBER",
    "E": "PHONE_NUMBER",
    "F": "EMAIL_ADDRESS",
    "G": "US_SSN",
    "H": "MEDICAL_RECORD_NUMBER",
    "I": "HEALTH_PLAN_NUMBER US_MBI DE_HEALTH_INSURANCE UK_NHS AU_MEDICARE",
    "J": "IBAN_CODE CREDIT_CARD US_BANK_NUMBER ABA_ROUTING_NUMBER CRYPTO",
    "K": "DRIVER_LICENSE UK_DRIVING_LICENCE MEDICAL_LICENSE US_NPI CERTIFICATE_NUMBER",
    "L": "VIN LICENSE_PLATE",
    "M": "IMEI MAC_ADDRESS",
    "N": "URL",
    "O": "IP_ADDRESS",
    "P": "BIOMETRIC_DATA",
    "Q": "PHOTOGRAPH",
}
_BY_ENTITY: dict[str, tuple[str, ...]] = {}
for _letter, _entities in _HIPAA_ENTITIES.items():
    for _entity in _entities.split():
        _BY_ENTITY[_entity] = (*_BY_ENTITY.get(_entity, ()), f"hipaa-safe-harbor:{_letter}")
for _category, _entities in GDPR_9.items():
    for _entity in _entities.split():
        _BY_ENTITY[_entity] = (*_BY_ENTITY.get(_entity, ()), f"gdpr-art9:{_category}")
_BY_ENTITY["CONVICTION"] = ("gdpr-art10:convictions-and-offences",)


def presets_of(entity: str, klass: SensitivityClass) -> tuple[str, ...]:
    """The lists that name an entity, as ``hipaa-safe-harbor:F`` or ``gdpr-art9:health``; an identifier that no letter
    names is (R)."""
    named = _BY_ENTITY.get(entity, ())
    other = (
        klass is SensitivityClass.IDENTIFIER and bool(entity) and not any(each.startswith("hipaa") for each in named)
    )
    return (*named, "hipaa-safe-harbor:R") if other else named

"""The words for purposes and legal bases: terms of the W3C Data Privacy Vocabulary 2.3 (``dpv:`` and ``eu-gdpr:``)."""

from trustplane.values.errors import BadInput, nearest

PURPOSES = {
    "dpv:AcademicResearch": "Academic research",
    "dpv:CommercialResearch": "Commercial research",
    "dpv:CounterMoneyLaundering": "Countering money laundering",
    "dpv:CustomerManagement": "Customer management",
    "dpv:CustomerSolvencyMonitoring": "Monitoring the solvency of customers",
    "dpv:FraudPreventionAndDetection": "Fraud prevention and detection",
    "dpv:IdentityVerification": "Identity verification",
    "dpv:ImproveHealthcare": "Improving health care",
    "dpv:LegalCompliance": "Legal compliance",
    "dpv:MaintainFraudDatabase": "Maintaining a fraud database",
    "dpv:NonCommercialResearch": "Non-commercial research",
    "dpv:OrganisationRiskManagement": "Risk management of the organisation",
    "dpv:RequestedServiceProvision": "Providing a requested service",
    "dpv:ResearchAndDevelopment": "Research and development",
    "dpv:ScientificResearch": "Scientific research",
    "dpv:ServiceOptimisation": "Service optimisation",
    "dpv:ServiceProvision": "Service provision",
}

LAWFUL_BASES = {
    "eu-gdpr:A6-1-a": "Consent (GDPR art. 6(1)(a))",
    "eu-gdpr:A6-1-b": "Contract (GDPR art. 6(1)(b))",
    "eu-gdpr:A6-1-c": "Legal obligation (GDPR art. 6(1)(c))",
    "eu-gdpr:A6-1-d": "Vital interests (GDPR art. 6(1)(d))",
    "eu-gdpr:A6-1-e": "Public interest or official authority (GDPR art. 6(1)(e))",
    "eu-gdpr:A6-1-f": "Legitimate interests (GDPR art. 6(1)(f))",
}


def check_purpose(term: str) -> str:
    """Return ``term`` if it is a known purpose; raise :class:`BadInput` otherwise. The prefix may be left out."""
    full = term if ":" in term else f"dpv:{term}"
    if full not in PURPOSES:
        raise BadInput("TP-DATA-030", f"{term[:80]!r} is not a purpose", why=nearest(full, PURPOSES))
    return full


def check_basis(term: str) -> str:
    """Return ``term`` if it is a known legal basis; raise :class:`BadInput` otherwise. The prefix may be left out."""
    full = term if ":" in term else f"eu-gdpr:{term}"
    if full not in LAWFUL_BASES:
        raise BadInput("TP-DATA-031", f"{term[:80]!r} is not a legal basis", why=nearest(full, LAWFUL_BASES))
    return full

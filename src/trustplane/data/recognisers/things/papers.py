"""Papers: passports, driving licences, number plates, medical records. Their forms say little, so their names must."""

from trustplane.data.classes import SensitivityClass
from trustplane.data.recognisers.contract import Opening
from trustplane.data.recognisers.forms import form
from trustplane.data.recognisers.numbers import number

_PASSPORT = (
    "passport, passport no, passport number, passport id, reisepass, passnummer, passeport, pasaporte, passaporto, paspoort,"
    " passaporte, paszport, 護照, 护照, パスポート"
)
_LICENCE = (
    "driver license, driver licence, drivers license, drivers licence, driving license, driving licence, driver s license,"
    " license number, licence number, dl number, dln, dl no, führerschein, fuehrerschein, führerscheinnummer, permis de conduire,"
    " permiso de conducir, carnet de conducir, patente, patente di guida, rijbewijs, carta de condução, cnh, prawo jazdy, 駕照, 驾照"
)

# ICAO Doc 9303 part 3: at most nine signs; some states add a check digit.
PASSPORT = form("PASSPORT", r"(?i)^[A-Z0-9]{0,3}[0-9][A-Z0-9]{4,8}$", names=_PASSPORT, specificity=0.75, least=2)
US_PASSPORT = number("US_PASSPORT", "######### @########", names="us passport, american passport", named=True)
DRIVER_LICENSE = form(
    "DRIVER_LICENSE",
    r"(?i)^[A-Z]{0,5}[ -]?[0-9][A-Z0-9 -]{3,18}$|^[A-Z9]{5}[0-9]{6}[A-Z0-9]{2,5}[A-Z]{2}$",
    names=_LICENCE,
    specificity=0.75,
    least=2,
)
# DVLA: the first five letters of the name, a date with sex, initials, two check signs.
UK_DRIVING_LICENCE = form(
    "UK_DRIVING_LICENCE",
    r"^(?i:[A-Z]{5}|[A-Z]{4}9|[A-Z]{3}99|[A-Z]{2}999)[0-9](?:0[1-9]|1[0-2]|5[1-9]|6[0-2])(?:[0-2][0-9]|3[01])[0-9](?i:[A-Z][A-Z9][0-9][A-Z]{2})$",
    names=_LICENCE + ", dvla",
    specificity=0.97,
    least=0.5,
    shortest=16,
    needs="ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
    country="GB",
    inside=(
        r"\b(?:[A-Z]{5}|[A-Z]{4}9|[A-Z]{3}99|[A-Z]{2}999)[0-9](?:0[1-9]|1[0-2]|5[1-9]|6[0-2])(?:[0-2][0-9]|3[01])[0-9]"
        r"[A-Z][A-Z9][0-9][A-Z]{2}\b"
    ),
    opening=Opening(("@@[A-Z9][A-Z9][A-Z9]#[0156]#",), "0-9A-Za-z_"),
)
LICENSE_PLATE = form(
    "LICENSE_PLATE",
    r"(?i)^[\pL0-9][\pL0-9 ·-]{2,11}$",
    names="license plate, licence plate, number plate, plate number, plate no, kennzeichen, kfz kennzeichen, plaque, matricula,"
    " matrícula, targa, kenteken, placa, numer rejestracyjny, vehicle registration, registration plate, vrn",
    specificity=0.75,
    least=2,
)
MEDICAL_RECORD_NUMBER = form(
    "MEDICAL_RECORD_NUMBER",
    r"(?i)^[A-Z]{0,5}[ #:-]{0,2}[0-9][A-Z0-9-]{2,18}$",
    names="mrn, mrn number, medical record, medical record number, medical record no, chart number, patient mrn, hospital number,"
    " patientennummer, fallnummer, numero de dossier, numéro de dossier, ipp, historia clinica, número de historia,"
    " cartella clinica, patientnummer, prontuário, prontuario, numer kartoteki, 病歷號, 病历号",
    specificity=0.85,
    least=2,
)
HEALTH_PLAN_NUMBER = form(
    "HEALTH_PLAN_NUMBER",
    r"(?i)^[A-Z]{0,4}[ -]?[0-9][A-Z0-9 -]{4,18}$",
    names="health plan, member id, insurance id, insurance number, policy number, policy no, subscriber id, group number,"
    " beneficiary number, versicherungsnummer, numero de adherent, poliza, número de póliza, polizza, polisnummer, apólice",
    specificity=0.75,
    least=2,
)
CERTIFICATE_NUMBER = form(
    "CERTIFICATE_NUMBER",
    r"(?i)^[A-Z]{0,5}[ /-]?[0-9][A-Z0-9 /-]{2,18}$",
    names="certificate number, certificate no, certificate id, professional license, bar number, zertifikatsnummer",
    specificity=0.7,
    least=2,
)
# WHO ICD-10 and ICD-10-CM: letter, digit, digit or letter, and up to four more after a point.
ICD_CODE = form(
    "ICD_CODE",
    r"^[A-TV-Za-tv-z][0-9][0-9ABab]\.[0-9A-TV-Za-tv-z]{1,4}[+*!†]?$|^[A-TV-Za-tv-z][0-9][0-9ABab](?:[0-9][0-9A-Za-z]{0,3})?$",
    names="icd, icd 9, icd 10, icd code, diagnosis, diagnosis code, dx, dx code, diagnose, diagnoseschlüssel, diagnostic, diagnosi,"
    " diagnóstico, cid, cie 10, rozpoznanie",
    specificity=0.9,
    least=2,
    klass=SensitivityClass.SPECIAL,
)

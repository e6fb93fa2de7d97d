"""Places: coordinates and postcodes that name a street."""

from trustplane.data.classes import SensitivityClass
from trustplane.data.recognisers.contract import Opening
from trustplane.data.recognisers.forms import form

_NUMBER = r"[+-]?[0-9]{1,3}\.[0-9]{3,}"

COORDINATES = form(
    "COORDINATES",
    rf"^\(?[+-]?[0-9]{{1,2}}\.[0-9]{{3,}}°? ?[NS]?[,; ] ?{_NUMBER}°? ?[EWO]?\)?$|^(?:SRID=4326;)?POINT ?\({_NUMBER} {_NUMBER}\)$",
    names="gps, location, coordinates, coords, position, geo, lat lon, latlon, latlng, koordinaten, coordonnees, coordonnées,"
    " coordenadas, coordinate, geolocation, point",
    specificity=0.95,
    least=0.5,
    needs=",; ",
    shortest=11,
    inside=r"(?<![0-9.])[+-]?[0-9]{1,2}\.[0-9]{3,12}, ?[+-]?[0-9]{1,3}\.[0-9]{3,12}(?![0-9]|\.[0-9])",
    opening=Opening(("#.###", "##.###", "[+-]#.###", "[+-]##.###"), "0-9."),
    klass=SensitivityClass.QUASI_IDENTIFIER,
)
LATITUDE_LONGITUDE = form(
    "LATITUDE_LONGITUDE",
    r"^[+-]?(?:1[0-7][0-9]|[0-9]{1,2})(?:\.[0-9]+)?°?$",
    names="lat, lon, lng, long, latitude, longitude, breitengrad, längengrad, laengengrad, latitud, longitud, latitudine, longitudine,"
    " breedtegraad, lengtegraad, szerokość geograficzna, długość geograficzna, gps lat, gps lon, 緯度, 經度",
    specificity=0.85,
    least=2,
    klass=SensitivityClass.QUASI_IDENTIFIER,
)
# Royal Mail PAF: the inward code never holds C, I, K, M, O, V.
UK_POSTCODE = form(
    "UK_POSTCODE",
    r"(?i)^[A-PR-UWYZ](?:[0-9]{1,2}|[A-HK-Y][0-9]|[A-HK-Y][0-9][0-9]|[0-9][A-HJKPSTUW]|[A-HK-Y][0-9][ABEHMNPRVWXY]) ?[0-9][ABD-HJLNP-UW-Z]{2}$",
    names="postcode, post code, postal code, zip, zip code",
    specificity=0.9,
    least=0.9,
    needs="ABDEFGHJLNPQRSTUWXYZabdefghjlnpqrstuwxyz",
    country="GB",
    inside=(
        r"\b[A-PR-UWYZ](?:[0-9]{1,2}|[A-HK-Y][0-9]|[A-HK-Y][0-9][0-9]|[0-9][A-HJKPSTUW]|[A-HK-Y][0-9][ABEHMNPRVWXY])"
        r" [0-9][ABD-HJLNP-UW-Z]{2}\b"
    ),
    opening=Opening(("@# #@@", "@#* #@@", "@@# #@@", "@@#* #@@"), "0-9A-Za-z_"),
    klass=SensitivityClass.QUASI_IDENTIFIER,
)

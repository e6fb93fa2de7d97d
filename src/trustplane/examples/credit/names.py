"""What synthetic people are made of, by culture: names, as written and in plain letters, and streets."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Culture:
    """How people of one culture are named and where they live.

    Names are pairs of the written and the plain form, so that an e-mail address can be made. ``family_first`` tells the
    order; ``join`` stands between the two names. ``women`` and ``men`` are given names; ``streets`` are streets of
    ``places``. ``address`` is filled with street, number and place.
    """

    women: tuple[tuple[str, str], ...]
    men: tuple[tuple[str, str], ...]
    families: tuple[tuple[str, str], ...]
    streets: tuple[str, ...]
    places: tuple[str, ...]
    address: str
    family_first: bool = False
    join: str = " "


def _pairs(text: str) -> tuple[tuple[str, str], ...]:
    """Words of ``text``, each ``written`` or ``written/plain``."""
    return tuple((word.split("/")[0], word.split("/")[-1].lower()) for word in text.split())


TAIWAN = Culture(
    women=_pairs("淑芬/shufen 美玲/meiling 雅婷/yating 怡君/yijun 佳穎/jiaying 詩涵/shihan 欣怡/xinyi 麗華/lihua"),
    men=_pairs("志明/zhiming 家豪/jiahao 俊傑/junjie 建宏/jianhong 承恩/chengen 冠宇/guanyu 文雄/wenxiong 柏翰/bohan"),
    families=_pairs("陳/chen 林/lin 黃/huang 張/zhang 李/li 王/wang 吳/wu 劉/liu 蔡/cai 楊/yang 許/xu 鄭/zheng"),
    streets=("中山路", "民生東路", "和平西路", "成功街", "光復路", "文化街"),
    places=("臺北市大安區", "新北市板橋區", "臺中市西屯區", "高雄市左營區", "臺南市東區"),
    address="{place}{street}{number}號",
    family_first=True,
    join="",
)
ENGLISH = Culture(
    women=_pairs("Olivia Grace Charlotte Imani Naomi Siobhán/siobhan Harriet Ruth Zadie Aoife"),
    men=_pairs("Oliver George Samuel Kwame Callum Dylan Theodore Marcus Rhys Seán/sean"),
    families=_pairs("Smith Okafor Campbell O'Brien/obrien Taylor Adeyemi Hughes Walker Singh Whitfield Brown Achebe"),
    streets=("Orchard Road", "Mill Lane", "Queen's Avenue", "Harbour Street", "Chestnut Drive", "Church Street"),
    places=("Exampleton EX1 1AA", "Sampleford SA2 9ZZ", "Mockbridge MB3 4XX", "Testbury TB5 6YY"),
    address="{number} {street}, {place}",
)
GERMAN = Culture(
    women=_pairs("Anna Lena Käthe/kaethe Marie-Luise Ayşe/ayse Sophie Greta Hannelore"),
    men=_pairs("Lukas Jürgen/juergen Björn/bjoern Mehmet Karl-Heinz Emil Matthias Otto"),
    families=_pairs(
        "Müller/mueller Schmidt Yılmaz/yilmaz Weiß/weiss Großmann/grossmann Fischer Kowalski Nguyen Bauer"
        " Köhler/koehler"
    ),
    streets=("Lindenstraße", "Gartenweg", "Bahnhofstraße", "Mühlgasse", "Rosenallee", "Am Musterplatz"),
    places=("00001 Musterstadt", "00002 Beispielhausen", "00003 Probeheim", "00004 Testdorf"),
    address="{street} {number}, {place}",
)
FRENCH = Culture(
    women=_pairs("Camille Zoé/zoe Aïcha/aicha Hélène/helene Fatou Margaux Inès/ines Élodie/elodie"),
    men=_pairs("Louis Jérôme/jerome Amadou Rémi/remi Karim François/francois Théo/theo Mathis"),
    families=_pairs("Martin Lefèvre/lefevre Diallo Benali Dubois Garnier Traoré/traore Roux Moreau Chevalier"),
    streets=("rue des Lilas", "avenue de la Gare", "place du Marché", "quai des Brumes", "chemin Vert"),
    places=("00100 Exempleville", "00200 Saint-Modèle", "00300 Essaisur-Loire"),
    address="{number} {street}, {place}",
)
SPANISH = Culture(
    women=_pairs("María/maria Lucía/lucia Xóchitl/xochitl Carmen Ximena Itziar Paloma Nuria"),
    men=_pairs("José/jose Íñigo/inigo Mateo Álvaro/alvaro Joaquín/joaquin Pablo Andrés/andres Martín/martin"),
    families=_pairs(
        "García/garcia Núñez/nunez Quispe Fernández/fernandez Ibáñez/ibanez Mamani Ortega Peña/pena Vega Ruiz"
    ),
    streets=("Calle Mayor", "Avenida del Sol", "Plaza Nueva", "Calle de la Luna", "Calle Olivo"),
    places=("00010 Villa Ejemplo", "00020 Pueblo Prueba", "00030 Muestra del Río"),
    address="{street} {number}, {place}",
)
DUTCH = Culture(
    women=_pairs("Fenna Sanne Noor Willemijn Femke Naima Marijke Lotte"),
    men=_pairs("Daan Sjoerd Thijs Bram Hamza Joost Ruben Pieter"),
    families=_pairs("Jansen Bakker Visser Özdemir/ozdemir Hendriks Mulder Bouwman Dekker Smit Kuipers"),
    streets=("Dorpsstraat", "Molenlaan", "Kerkstraat", "Tulpenlaan", "Kanaalstraat"),
    places=("0001 AA Voorbeeldstad", "0002 BB Proefdam", "0003 CC Testrecht"),
    address="{street} {number}, {place}",
)
CULTURES = (TAIWAN, ENGLISH, GERMAN, FRENCH, SPANISH, DUTCH)

"""Special categories of personal data and convictions (GDPR art. 9(1) and 10), by the column's name.

Only the name can tell: a code such as ``1`` says nothing of religion by its form. A name that mentions one of these is
taken at its word whatever the values are, since to treat an innocent column as special costs little and the reverse
costs much.
"""

from trustplane.data.classes import SensitivityClass
from trustplane.data.recognisers.contract import ColumnSample, Descriptor, Judgement
from trustplane.data.recognisers.headers import mentions, phrases

CATEGORIES = (
    (
        "RELIGION",
        "religion or belief",
        phrases(
            "religion, religious, faith, belief, beliefs, denomination, confession, creed, church, philosophy of life,"
            " konfession, konfessionen, glaube, religionszugehörigkeit, weltanschauung, kirchensteuer, kirche,"
            " religieux, confession religieuse, croyance, culte, religión, religion profesada, creencia, creencias,"
            " religione, credo, fede, religie, geloof, geloofsovertuiging, levensovertuiging, religião, religiao, crença,"
            " religia, wyznanie, przekonania religijne, 宗教"
        ),
    ),
    (
        "ETHNICITY",
        "racial or ethnic origin",
        phrases(
            "race, racial, ethnicity, ethnic, ethnic origin, ethnic group, tribe, caste, skin colour, skin color,"
            " rasse, ethnie, ethnische herkunft, herkunft, hautfarbe, volkszugehörigkeit, origine ethnique, origine raciale,"
            " couleur de peau, raza, etnia, etnicidad, origen étnico, origen etnico, color de piel, razza, origine etnica,"
            " ras, etniciteit, etnische afkomst, huidskleur, raça, raca, etnicidade, origem étnica, cor da pele, rasa,"
            " pochodzenie etniczne, pochodzenie rasowe, narodowość, 種族"
        ),
    ),
    (
        "HEALTH",
        "health",
        phrases(
            "health, diagnosis, diagnoses, disease, illness, disability, disabled, medication, medical, medical history,"
            " symptom, symptoms, icd, icd 9, icd 10, blood type, blood group, blood pressure, hiv, hiv status, pregnant,"
            " pregnancy, allergy, allergies, treatment, prescription, drug, smoker, smoking, bmi, mental, mental health,"
            " handicap, comorbidity, therapy, surgery, lab result, sick leave, vaccination, vaccinated, patient history,"
            " krankheit, krankheiten, gesundheit, gesundheitszustand, diagnose, diagnosen, behinderung, schwerbehindert,"
            " grad der behinderung, medikament, medikamente, medikation, allergien, schwanger, schwangerschaft, blutgruppe,"
            " krankenstand, befund, behandlung, raucher, santé, sante, maladie, maladies, diagnostic, traitement, handicapé,"
            " médicament, médicaments, medicament, grossesse, enceinte, groupe sanguin, allergie, fumeur, arrêt maladie,"
            " salud, enfermedad, enfermedades, diagnóstico, diagnostico, tratamiento, discapacidad, medicación, medicacion,"
            " embarazo, embarazada, grupo sanguíneo, alergia, alergias, fumador, salute, malattia, malattie, diagnosi,"
            " terapia, disabilità, disabilita, farmaco, farmaci, gravidanza, gruppo sanguigno, fumatore, gezondheid, ziekte,"
            " ziekten, behandeling, medicatie, zwanger, zwangerschap, bloedgroep, allergieën, handicap type, ziekteverzuim,"
            " saúde, saude, doença, doenca, doenças, tratamento, deficiência, deficiencia, medicamentos, gravidez, grávida,"
            " tipo sanguíneo, alergias alimentares, zdrowie, choroba, choroby, rozpoznanie, diagnoza, leczenie, leki,"
            " niepełnosprawność, niepelnosprawnosc, ciąża, ciaza, grupa krwi, alergie, 疾病, 健康"
        ),
    ),
    (
        "POLITICS",
        "political opinions",
        phrases(
            "political, politics, political party, party membership, political opinion, political affiliation, voted, vote intention,"
            " party affiliation, partei, parteimitglied, parteizugehörigkeit, politisch, politische meinung, politische einstellung,"
            " politique, opinion politique, opinions politiques, parti politique, politica, política, partido, partido político,"
            " opinión política, ideología, partito, partito politico, opinione politica, orientamento politico, politiek,"
            " politieke partij, politieke voorkeur, politieke opvatting, opinião política, filiação partidária,"
            " filiacao partidaria, partia, partia polityczna, poglądy polityczne, poglady polityczne"
        ),
    ),
    (
        "UNION_MEMBERSHIP",
        "trade-union membership",
        phrases(
            "trade union, union member, union membership, labour union, labor union, union dues, gewerkschaft,"
            " gewerkschaftsmitglied, gewerkschaftszugehörigkeit, syndicat, syndiqué, syndique, appartenance syndicale,"
            " adhésion syndicale, sindicato, afiliación sindical, afiliacion sindical, sindical, sindacato, iscrizione sindacale,"
            " appartenenza sindacale, vakbond, vakbondslid, vakbondslidmaatschap, filiação sindical, filiacao sindical,"
            " sindicalizado, związek zawodowy, zwiazek zawodowy, przynależność związkowa, związki zawodowe"
        ),
    ),
    (
        "SEXUAL_ORIENTATION",
        "sex life or sexual orientation",
        phrases(
            "sexual, sexual orientation, sexuality, sex life, gay, lesbian, lgbt, lgbtq, sexual partners,"
            " sexuelle orientierung, sexualität, sexualitaet, sexualleben, orientation sexuelle, vie sexuelle, sexualité,"
            " orientación sexual, orientacion sexual, vida sexual, sexualidad, orientamento sessuale, vita sessuale, sessualità,"
            " seksuele geaardheid, seksuele voorkeur, geaardheid, seksleven, orientação sexual, orientacao sexual, sexualidade,"
            " orientacja seksualna, życie seksualne, zycie seksualne, seksualność"
        ),
    ),
    (
        "GENETIC_DATA",
        "genetic data",
        phrases(
            "genetic, genetics, genome, genotype, dna, rna, mutation, allele, snp, karyotype, genetic test, brca,"
            " genetisch, genetische daten, genom, gentest, erbkrankheit, génétique, genetique, adn, génome, test génétique,"
            " genético, genetico, genética, genetica, genoma, mutación, genetische gegevens, erfelijk, mutação, mutacao,"
            " genetyczny, genetyczne, dane genetyczne, mutacja"
        ),
    ),
    (
        "BIOMETRIC_DATA",
        "biometric data",
        phrases(
            "biometric, biometrics, fingerprint, fingerprints, face embedding, face encoding, face template, face id, iris scan,"
            " voiceprint, retina, retina scan, palm print, gait, biometrisch, fingerabdruck, fingerabdrücke, gesichtserkennung,"
            " iriserkennung, stimmabdruck, biométrique, biometrique, empreinte digitale, empreintes digitales, reconnaissance faciale,"
            " biométrico, biometrico, huella dactilar, huella digital, reconocimiento facial, iris escaneado, impronta digitale,"
            " impronte digitali, riconoscimento facciale, dato biometrico, vingerafdruk, gezichtsherkenning, irisscan,"
            " impressão digital, impressao digital, reconhecimento facial, biometryczne, odcisk palca, rozpoznawanie twarzy"
        ),
    ),
    (
        "CONVICTION",
        "criminal convictions or offences",
        phrases(
            "criminal, criminal record, conviction, convictions, convicted, offence, offense, offences, felony, arrest, arrests,"
            " prior arrests, vorstrafe, vorstrafen, vorbestraft, verurteilung, straftat, casier judiciaire, condamnation,"
            " condamnations, infraction pénale, antecedentes penales, antecedentes, condena, condenas, delito, delitos,"
            " casellario giudiziale, condanna, condanne, reato, precedenti penali, strafblad, veroordeling, strafbaar feit,"
            " antecedentes criminais, condenação, condenacao, crime, karalność, wyrok, wyrok karny, skazany, przestępstwo"
        ),
    ),
)


class SpecialCategory:
    """Columns whose name mentions one of :data:`CATEGORIES`."""

    descriptor = Descriptor("special_category", "SPECIAL_CATEGORY", SensitivityClass.SPECIAL)

    def judge(self, column: ColumnSample) -> Judgement | None:
        for entity, words, names in CATEGORIES:
            if mentions(column.header, names):
                return Judgement(entity, 0.95, f"the column's name speaks of {words}")
        return None

"""Words of our own for fill-ins: companies, groups of people, and what only looks like a name."""

BRANDS = """Microsoft Google Amazon Apple Siemens Bosch Volkswagen BMW Daimler Allianz Santander BBVA Barclays HSBC Lloyds NatWest Vodafone Orange Telefonica
Telekom Samsung Sony Toyota Honda Nestle Unilever Pfizer Novartis Roche Bayer Sanofi AstraZeneca Moderna Tesla Netflix Spotify Uber Airbnb PayPal Stripe Klarna Revolut
Monzo IKEA Zara Adidas Nike Puma Lidl Aldi Tesco Sainsbury's Walmart Target Costco Starbucks McDonald's Intel Nvidia Oracle SAP IBM Cisco Dell Lenovo Huawei Xiaomi
Accenture Deloitte KPMG PwC EY McKinsey Bain Goldman Citigroup JPMorgan Chase Citibank Wells Deutsche Commerzbank ING Rabobank ABN UniCredit Intesa Generali AXA Renault
Peugeot Michelin Airbus Boeing Lufthansa Ryanair EasyJet KLM Iberia Emirates DHL FedEx UPS Maersk Shell BP Total Eni Repsol Exxon Chevron Enel EDF Engie Philips Heineken
Ericsson Nokia Volvo Facebook Meta Twitter LinkedIn Adobe Salesforce Shopify Zoom Slack Dropbox GitHub Reuters Bloomberg BBC CNN UNICEF UNESCO NATO WHO NASA FBI Interpol
Greenpeace Oxfam Aviva Bupa Cigna Aetna Humana Geico Prudential Zurich Comcast Verizon AT&T T-Mobile Sprint""".split()

FORMS = {
    "en": ["Ltd", "Ltd.", "Limited", "Inc", "Inc.", "LLC", "L.L.C.", "PLC", "plc", "Corp", "Corp.", "Corporation", "& Co", "and Co.", "Company", "LLP", "Group", "Holdings", "Pty Ltd"],
    "de": ["GmbH", "AG", "KG", "GmbH & Co. KG", "e.V.", "OHG", "SE", "mbH", "UG"],
    "fr": ["SA", "S.A.", "SARL", "SAS", "et Fils", "SNC"],
    "es": ["S.L.", "SL", "S.A.", "SA", "S.L.U.", "y Asociados", "e Hijos"],
    "it": ["S.p.A.", "SpA", "S.r.l.", "srl", "s.n.c.", "& figli", "Group"],
    "nl": ["B.V.", "BV", "N.V.", "NV", "& Zonen", "VOF"],
    "pt": ["Lda", "Lda.", "S.A.", "SA", "Ltda.", "e Filhos"],
}  # fmt: skip

NOUNS = """Solutions Systems Technologies Partners Consulting Services Industries Logistics Capital Energy Foods Media Labs Networks Software Bank Insurance Pharma
Motors Airlines Studios Foundation Institute Trust Ventures Properties Analytics Robotics Electronics Clinic Pharmacy Brewing Records Press Books Design Financial
Securities Investments Mortgage Telecom Digital Data Health Medical Dental Care Travel Tours Hotels Sports Fitness Textiles Steel Chemicals Plastics Mining Timber
Construction Builders Engineering Architects Realty Estates Legal Advisors Associates Brothers Union Alliance Cooperative Society Orchestra Council Agency""".split()

ADJECTIVES = """Global United First National Royal General Advanced Central Northern Southern Pacific Atlantic Continental Universal Premier Pioneer Summit Apex Bright
Blue Green Red Silver Golden Northstar Evergreen Stone River Ocean Sun Moon Star Eagle Falcon Lion Phoenix Cedar Maple Harbor Bridge Liberty Heritage Horizon Vertex
Quantum Nova Alpha Beta Delta Omega Smart Swift Clear Open Simple Modern Urban Prime Crystal Iron Granite Summerfield Westgate Eastwood Lakeside Riverside Hillcrest""".split()

SYLLABLES = """ac al an ar ax bel bi bo ca cel ci co cor cy da del di do dyn e el en ex fa fi flu fo ga gen go hy in ix jo ka ki lo lu ly ma me mi mo na ne ni no nu o
on or pa pe plex po pro qua ra ri ro sa sen si so sy ta te ti tra tri u ul va ve vi vo xa ze zi zo""".split()

ENDINGS = """ix ia io ly ify tech soft net sys gen corp med pharm bank pay hub lab works wave point base sense logic scape link mart flow bit core cloud tel on us um or ent
ance ware graph metrics mind space stream line forge zen""".split()

DEMONYMS = """American British English Scottish Welsh Irish French German Spanish Italian Portuguese Dutch Belgian Swiss Austrian Polish Czech Slovak Hungarian Romanian
Bulgarian Greek Turkish Russian Ukrainian Belarusian Lithuanian Latvian Estonian Finnish Swedish Norwegian Danish Icelandic Chinese Japanese Korean Vietnamese Thai
Indonesian Malaysian Filipino Indian Pakistani Bangladeshi Nepali Afghan Iranian Iraqi Syrian Lebanese Israeli Palestinian Jordanian Egyptian Moroccan Algerian Tunisian
Libyan Nigerian Kenyan Ethiopian Ghanaian Senegalese Somali Ugandan Tanzanian Zimbabwean Mexican Canadian Brazilian Argentinian Chilean Peruvian Colombian Venezuelan
Bolivian Ecuadorian Cuban Jamaican Haitian Dominican Australian Serbian Croatian Bosnian Slovenian Albanian Macedonian Armenian Georgian Kazakh Uzbek Mongolian Kurdish
Arab African European Asian Hispanic Latino Caucasian Scandinavian Maltese Cypriot Taiwanese Cambodian Burmese Samoan Fijian Congolese Rwandan Angolan Cameroonian
Sudanese Yemeni Saudi Qatari Kuwaiti Emirati Omani Guatemalan Honduran Panamanian Uruguayan Paraguayan Singaporean""".split()

BELIEFS = """Christian Catholic Protestant Orthodox Muslim Islamic Sunni Shia Jewish Buddhist Hindu Sikh Jain Mormon Baptist Methodist Lutheran Anglican Presbyterian
Quaker Atheist Taoist Republican Democrat Labour Conservative Socialist Communist Liberal Republicans Democrats Catholics Muslims Jews Hindus Buddhists Christians
Protestants Sikhs""".split()

# What stands in capitals in such texts and names nobody.
THINGS = """PIN SMS API PDF VAT GDPR FAQ ID SIM USB CVV ATM IBAN SSN NHS MRI CT ECG ICU GP PO KYC AML URL IT HR CEO CFO CV FYI ASAP RSVP EUR USD GBP CSV SQL XML JSON ETA
Visa Mastercard iPhone Android Windows Excel Word Outlook Premium Gold Platinum Silver Basic Standard Plus Pro Ultimate Wi-Fi Bluetooth Internet Christmas Easter Bible
Python Java Linux Chrome Bitcoin Covid Omicron Paracetamol Ibuprofen Aspirin Metformin Amoxicillin Insulin Lisinopril Atorvastatin Warfarin Omeprazole Diazepam Sertraline
Invoice Receipt Ticket Order Account Customer Support Manager Agent Team Department Section Chapter Level Terms Conditions Policy Service Agreement Form""".split()

JOBS = """nurse teacher engineer driver accountant manager lawyer consultant director cashier plumber electrician receptionist analyst developer surgeon physiotherapist
pharmacist secretary technician mechanic chef baker journalist editor photographer designer architect carpenter farmer soldier officer clerk auditor trainer""".split()

SYMPTOMS = """chest pain,shortness of breath,a persistent cough,lower back pain,dizziness,a rash on both arms,recurrent migraines,knee pain,abdominal pain,nausea,fatigue,
fever,swelling of the ankle,type 2 diabetes,hypertension,asthma,anxiety,depression,pneumonia,a fractured wrist,high cholesterol,insomnia,Parkinson's disease,Crohn's disease,
Alzheimer's disease,Lyme disease,Down syndrome,Hodgkin lymphoma,a Colles fracture""".replace("\n", "").split(",")

OBJECTS = """dress shoes laptop television washing machine sofa phone charger headphones jacket printer router coffee maker bicycle guitar watch camera backpack desk lamp
suitcase blender vacuum keyboard monitor tablet drone mattress toaster kettle heater fridge oven dishwasher""".split()

# Words near names that say of which kind they are, the same for all who write English.
CUES = {
    "said": """said says say saying told tells asked asks replied answered called calls calling wrote writes writing added adds explained claims claimed thinks thought knows knew
        believes felt feels wants wanted likes liked loves loved hates hated went goes came comes left leaves arrived met meets married divorced died born lives lived works worked
        joined signed paid pays bought sold owes complained reported denied admitted agreed refused retired resigned studied teaches spoke speaks visited phoned rang emailed texted
        forgot remembered smiled laughed cried slept ate drove walked won lost helped thanked sued arrested injured accompanied examined treated diagnosed sings sang plays played
        directed starring performed composed painted invented interviewed hired fired promoted""".split(),
    "kin": """mother father mom mum dad brother sister son daughter wife husband spouse partner uncle aunt cousin niece nephew grandmother grandfather friend neighbour neighbor
        colleague boss girlfriend boyfriend fiancé fiancée widow baby child kid twin guardian roommate mate""".split(),
    "role": """doctor nurse lawyer attorney teacher professor president minister senator mayor king queen prince princess judge captain officer sergeant detective director manager
        chairman ceo founder owner author writer poet singer actor actress artist painter musician composer player coach driver pilot agent patient customer client tenant landlord witness
        suspect victim defendant claimant applicant candidate employee student passenger guest speaker editor journalist scientist engineer chef surgeon dentist therapist midwife
        secretary treasurer holder beneficiary member participant attendee sender recipient signatory insured policyholder mr mrs ms miss dr prof sir madam lady lord rev herr frau
        monsieur madame señor señora don doña signor signora dhr mevr sr sra""".split(),
    "greeting": """hi hello hey dear regards sincerely cheers thanks goodbye bye welcome congratulations sorry yours love hugs greetings wishes truly respectfully faithfully
        hola bonjour hallo ciao olá cordialement saludos gruß grüße saluti groeten cumprimentos""".split(),
    "where": """in at near from to into through across around outside inside towards via beyond between north south east west northern southern eastern western central downtown
        rural city town village capital island country state province region county district street airport station hotel border coast river valley mountain beach suburb port
        living located based situated travel traveling travelling trip flight flights fly flew moved moving resident residents visa embassy population weather branch office delivery
        deliver ship shipped address residence headquarters""".split(),
    "firm": """company firm corporation employer supplier vendor bank insurer merchant brand startup subsidiary shareholder shareholders shares stock ceo merger acquisition acquired
        announced launches launched founded store shop app website subscription account contract policy customer employees headquarters product products competitor investor investors
        university college school hospital clinic foundation club team agency ministry department council court newspaper orchestra""".split(),
    "when": """on since until by before after during from between dated date birthday born dob expires expired expiry due deadline scheduled effective valid issued created updated
        year month week day monday morning evening""".split(),
}  # fmt: skip

"""Common English words of our own, by what they do in a clause of :mod:`names_corpus.grammar`."""

PEOPLE = """mother father brother sister wife husband neighbour friend boss colleague teacher doctor nurse lawyer driver tenant landlord guide singer drummer guitarist actor actress
director producer author novelist poet painter coach captain goalkeeper striker president minister senator mayor judge officer detective witness suspect victim professor student
researcher engineer chef waiter pilot farmer baker butcher carpenter clerk cashier accountant manager assistant secretary intern founder chairman spokesman spokeswoman
editor reporter critic historian philosopher king queen prince princess emperor saint pope bishop priest monk soldier general uncle aunt cousin nephew niece daughter son baby boy
girl man woman kid guy lady gentleman stranger hero villain ghost wizard angel robot monster guest host owner buyer seller dealer agent broker customer client patient""".split()
THINGS = """car house door table chair window garden kitchen room floor roof wall road bridge river lake mountain beach forest tree flower dog cat horse bird fish lion tiger antelope
monkey snake elephant book letter song album film movie show series episode season novel poem story chapter page title picture painting photo statue museum theatre stage concert tour band
record track chorus melody guitar piano drum violin game match goal team race prize award medal title cup ticket train bus plane boat ship bicycle truck engine wheel road map phone
screen keyboard laptop computer server network program code file password account card bank loan cheque invoice bill receipt order parcel package box bag coat shirt dress shoe hat ring watch
key lock light lamp fire water coffee tea beer wine bread cheese soup salad pizza burger cake apple orange lemon breakfast lunch dinner meal menu recipe restaurant hotel shop market school
college class lesson exam degree course project plan idea question answer problem solution mistake accident crime trial law rule contract policy vote election party government war peace army
weapon bomb money price cost profit loss tax job career salary office meeting interview report email message call voice word language accent name address number list form report study test
result drug pill disease pain fever cough wound blood heart brain hand foot eye ear face hair smile tear dream memory life death birth wedding funeral birthday holiday trip journey summer
winter spring autumn weather storm rain snow wind sun moon star sky earth world country city town village street corner station airport harbour church temple castle palace tower park zoo farm
field hill island desert coast sea ocean advice news music art science history mathematics physics chemistry biology medicine politics business sport football tennis chess""".split()
LOOKS = """old new young big small long short tall great little good bad nice ugly beautiful strange funny sad happy angry quiet loud famous unknown rich poor cheap expensive free busy empty full
open dark bright warm cold hot cool fresh dry wet clean dirty heavy light strong weak fast slow early late first second third last next best worst main whole single double common rare simple
hard easy soft sharp round flat deep wide narrow local national global public private secret legal illegal serious strict fair cruel kind brave lazy clever stupid wise crazy guilty innocent
skilled careful annual monthly daily modern ancient classic popular important urgent final perfect terrible amazing awful wonderful red blue green black white yellow
golden silver wild electric digital human royal civil social medical musical special precious mutual equal""".split()
DID = """met saw called helped thanked asked told followed visited hired fired married divorced loved hated missed trusted blamed praised ignored invited watched interviewed attacked defended
accused arrested beat taught replaced joined left found lost heard remembered forgot recognised described mentioned quoted sued paid cheated supported opposed admired envied feared
introduced promoted sketched photographed filmed directed produced coached treated examined saved killed rescued hugged kissed pushed greeted warned phoned texted emailed contacted""".split()
MADE = """wrote read bought sold built broke repaired opened closed painted designed invented discovered founded planned started finished won lost stole hid found cooked ate drank recorded
released produced played sang composed published translated signed cancelled ordered returned changed lost kept owned rented cleaned carried dropped threw caught liked loved hated wanted
needed used made sent received paid reviewed explained described criticised mentioned studied taught learned forgot remembered""".split()
WENT = """lives;lived;works;worked;stayed;slept;waited;sang;danced;laughed;cried;arrived;died;vanished;returned;retired;studied;performed;played;travelled;moved;walked;drove;ran;settled;taught;spoke;
trained;rehearsed;suffered;resigned;disappeared;grew up;was born;is staying;is waiting;will be;will speak;started out;went to school;is buried;has a house;was arrested;was seen""".replace(
    "\n", ""
).split(";")
STATES = """is ill;is not here;is a genius;was late again;is my hero;has two children;has left;had no idea;can sing;can be trusted;will win;will not come;should apologise;
might know;does not eat meat;did not answer;never listens;always pays in time;seems upset;looks tired;sounds angry;became famous;got lost;is under arrest;was born blind;is twenty years old;
is now a citizen;is over sixty;has been ill for weeks;is waiting for an answer;is the best of them;was the first to leave;is known for it;does not like cheese""".replace(
    "\n", ""
).split(";")
OPENERS = """Yesterday,;Last night,;In fact,;However,;Of course,;Apparently,;As far as I know,;To be honest,;According to the report,;After the match,;During the war,;At the time,;Years later,;
At first,;In the end,;By the way,;Some say that;I think;I believe;We heard that;They say;Did you know that;It is true that;No wonder;Rumour has it that;Remember when;Guess what:;Listen,;
Sometimes;Once;Today;Then;Meanwhile,;Soon;Every morning;On the way home,;When I was young,;Because of this,;If I remember correctly,;For my part,""".replace(
    "\n", ""
).split(";")
ENDERS = """again;at last;as well;too;once more;for the first time;with great care;in a hurry;without a word;for money;by accident;on purpose;for three weeks;all night;every day;in tears;
after dinner;with pleasure;for no reason;at the age of twelve;in front of the cameras;on television;on stage;at school;at work;at home;on the phone""".replace(
    "\n", ""
).split(";")
ABOUT = "with by from for about against without behind after before like unlike near beside than including featuring".split()
SAID = (
    "said asked replied shouted whispered wrote added explained answered cried insisted admitted joked warned".split()
)
LINES = """Where have you been?;I do not know.;How can I thank you?;Leave me alone.;Is anybody there?;I had a dream.;So be it.;
Nice to meet you.;See you tomorrow!;We need to talk.;Of course I do.;That is not my name.;Please sit down.;This is the end.;Can I help you?;I am on my way.;Look at this!;
It is late.;Tell me the truth.;You are fired.;I love this song.;Never again.;Come in!;No, thanks.;Good question.;Why me?""".replace(
    "\n", ""
).split(";")

# ruff: noqa: E501 — a table reads best with a row a line
"""The vocabulary and the sentence patterns of the English articles.

Rule of this file: tables only, our own words, in the pattern language of prose.py; phrases of a list are parted by " / ".
Firms, people and laboratories are invented; cities are real.
"""

from __future__ import annotations

from tests.replica.words import Trade


def _words(line: str) -> tuple[str, ...]:
    return tuple(line.split())


def _trade(name: str, **lists: str) -> Trade:
    return Trade(
        name=name,
        channels=("china", "business", "opinion", "world"),
        endings=("Technology", "Systems", "Dynamics", "Instruments", "Networks"),
        **{key: tuple(value.split(" / ")) for key, value in lists.items()},
    )


TRADES = (
    _trade(
        "robotics",
        things="inspection robot / warehouse robot / robotic arm / walking frame / tea-picking robot",
        parts="harmonic gear / torque sensor / soft gripper / joint bearing / emergency circuit / foot pad",
        methods="visual servoing / impedance control / gait learning / group path planning / tactile feedback",
        troubles="slipping on wet floors / overheated joints / misjudged reflections / deadlocks in narrow aisles / worn cables",
        scenes="a substation / a tyre plant / a hospital store room / an underground gallery / a tea garden",
        gauges="positioning error| mm|0.02|0.5|2 / payload| kg|3|120|0 / battery life| hours|2.5|12.5|1 / cycle time| seconds|4.2|28.6|1 / price per unit| yuan|38000|620000|0",
        users="maintenance crews / parts makers / nurses / warehouse foremen / tea farmers",
        tasks="tighten forty bolts under a chassis / find a valve in thick smoke / stack fragile bottles / hear a failing bearing / walk a patient down a corridor",
    ),
    _trade(
        "batteries",
        things="sodium-ion cell / home storage cabinet / swap station / flow battery plant / fuel cell stack",
        parts="separator / current collector / bipolar plate / busbar / cell monitor / insulation film",
        methods="dry electrode coating / pre-lithiation / immersion cooling / pulse self-heating / second-life sorting",
        troubles="loss of range in frost / swelling after many cycles / uneven cells / loose welds / slow hydrogen leaks",
        scenes="an island microgrid / a couriers' swap point / a frozen test lake / a port truck yard / an old bicycle shed",
        gauges="energy density| Wh per kg|118|412|0 / cycle life| cycles|1500|12000|0 / charging time| minutes|9|55|0 / cost per kilowatt-hour| yuan|320|890|0 / capacity kept at minus 20| percent|68|93|0",
        users="delivery riders / fleet owners / islanders / grid operators / property managers",
        tasks="start a truck at minus thirty / shave the afternoon peak / judge the years left in a used cell / swap a pack in a minute / power a freezer on a fish raft",
    ),
    _trade(
        "space",
        things="imaging microsatellite / reusable rocket / laser terminal / ground station / seed capsule",
        parts="Hall thruster / solar wing / reaction wheel / grid fin / star tracker / propellant tank",
        methods="batch assembly / laser links / in-orbit upgrades / vertical landing guidance / onboard processing",
        troubles="cloud cover / bit flips / sloshing tanks / a missed launch window / a jammed solar wing",
        scenes="a sea launch platform / a desert landing site / a polar station / a mountain reservoir / a thermal chamber",
        gauges="resolution| metres|0.3|5.2|1 / launch mass| kg|22|860|0 / revisit time| hours|1.5|36|1 / downlink rate| Gbps|1.2|100|1 / unit cost| million yuan|3|62|0",
        users="crop insurers / fishing captains / water authorities / foresters / surveyors",
        tasks="count the trees of an orchard / warn a trawler of a typhoon / measure a landslide by the millimetre / carry rice seeds into orbit / return a water level from no man's land",
    ),
    _trade(
        "networks",
        things="millimetre-wave base station / hollow-core fibre / private network core / cable repeater / satellite handset",
        parts="power amplifier / optical module / filter / beamforming chip / clock board / splitter",
        methods="carrier aggregation / joint sensing / network slicing / automatic sleep / spectrum sharing",
        troubles="dead zones in lifts / crowded stadiums / idle power at night / cut cables / dropped handovers",
        scenes="a sea-crossing bridge / an open-pit mine / a border village / a steelworks / a cargo ship",
        gauges="peak rate| Gbps|1.6|25|1 / latency| ms|0.6|18|1 / site power| watts|180|1450|0 / fibre loss| dB per km|0.05|0.19|2 / cell radius| km|0.3|42|1",
        users="miners / seafarers / herders / broadcasters / village doctors",
        tasks="hold a video call inside a tunnel / drive a hundred-tonne truck from an office / find a broken cable in ten minutes / let ten thousand fans send photos / bring a telephone to an islet",
    ),
    _trade(
        "AI",
        things="court assistant / speech engine / document checker / retrieval service / code helper",
        parts="vector index / test set / safety filter / knowledge graph / labelling desk / memory module",
        methods="retrieval augmentation / low-rank tuning / synthetic data / red teaming / expert routing",
        troubles="invented sources / forgotten context / dialect errors / mixed-up terms / swapped table rows",
        scenes="a county court / a claims office / a night call centre / a publishing house / a water hotline",
        gauges="first-word delay| ms|120|980|0 / rate of invented facts| percent|0.6|8.4|1 / cost per thousand calls| yuan|2|75|0 / term accuracy| percent|88.2|99.1|1 / daily calls| thousand|40|960|0",
        users="lawyers / insurers / editors / teachers / clerks",
        tasks="find contradictions in a thousand pages / read a chart aloud to the blind / write down an old dialect / check the characters of an ancient book / explain a water bill",
    ),
    _trade(
        "farming",
        things="plant factory / smart valve / dairy collar / pond aerator / fruit sorter",
        parts="spectral probe / nutrient pump / grow light / ear tag / drip tape / weather post",
        methods="variable-rate feeding / near-infrared sugar reading / leaf imaging / light recipes / sound counting",
        troubles="mud on the sensors / weeks without sun / oxygen loss at night / salt rising in the soil / blocked drippers",
        scenes="a salt flat / a highland pasture / a chain of ponds / an apple store / a desert orchard",
        gauges="water saved| percent|18|56|0 / yield per mu| kg|320|9800|0 / sorting speed| fruits per second|6|32|0 / survival rate| percent|82|98|0 / cost per mu| yuan|160|4200|0",
        users="orchard owners / dairy farmers / fish farmers / seed growers / co-op heads",
        tasks="taste an apple without cutting it / start the aerator before the fish suffer / spot the first sick leaf / keep a diary for each cow / store rain for the dry season",
    ),
)

FIRM_FIRST = _words("Yan He Xiu Ji Ting Sheng Jin Liao Hui Dai Mei Zhi Yi Cheng Feng Wei Qiao Yun Lan Yuan")
FIRM_SECOND = _words("chuan xu shi ye yuan qiao zhou fan mu ting gu heng tu ze wei he yu lin")
GIVEN = _words("Yansi Kering Zhixia Jingxing Shuyao Wanzhou Qingyuan Changlin Beiye Nangu Wangyue Yinbai")
SURNAMES = _words("Bai Dou Yu Miao Zou Lu Ge Wei Jiang Xie Tao Pan Su Yuan Liu Tang")
CITIES = _words("Hefei Suzhou Chengdu Changsha Xi'an Qingdao Dongguan Ningbo Guiyang Luoyang Wuhu Mianyang Xiamen Yantai Kunming")
LABS = _words("Xiuyun Canglang Yinhui Luming Guanlan Zhiwei Xingcha Linyuan")
LAB_KINDS = ("Laboratory", "Institute", "Research Centre", "Test Centre")
CHIEFS = ("chief executive", "chief engineer", "co-founder", "head of products", "chief scientist")
WORKERS = ("test engineer", "fitter", "site operator", "software engineer", "quality inspector")
EXPERTS = ("research fellow", "professor", "market analyst", "drafter of the standard", "policy adviser")

LEAD = (
    "{firm} [presented|unveiled] a new {thing} called {name} in {city} on {day}, aimed first of all at {user}.",
    "After {n:14-40} months of trial and error, a {thing} built by {firm} went to work on {day} at {scene} near {city}.",
    "A comparison published by {lab} on {day} shows that with {method} the {gname} of a {thing} went from {gold} to {gnew}.",
    "{firm} said on {day} that it had raised {n:80-960} million yuan, led by {firm2}, to mass-produce its {part} and to study {method}.",
    "How can {user} afford a {thing}? At a meeting in {city} on {day}, {firm} gave a one-word answer: {method}.",
    "{city} began trials of the {thing} on {day} at {n:5-18} sites, among them {scene}; {firm} and {firm2} take part.",
    "A {thing} designed by {firm} had run for {n:1000-9000} hours at {scene} by {day}, with a {gname} of {gnew} and without {trouble}.",
    "{firm} recalled {n:300-9000} early units of its {thing} on {day} because of {trouble}; owners get a new {part} free of charge.",
    "In a survey of {n:800-9600} {user} published in {city} on {day}, {n:52-88} percent would try a {thing}, while {n:21-47} percent fear {trouble}.",
    "“You used to need an old hand for this,” said {worker} on {day}, pointing at the {thing} that had just been installed at {scene} in {city}.",
    "Early on {day}, while {city} was still asleep, {n:6-20} engineers of {firm} gathered at {scene} for a last trial of {name}.",
    "The {trade} contest of {city} closed on {day}; first prize went to {firm}, whose {thing} is able to {task}.",
    "Under a contract signed on {day}, {firm} and {firm2} will build {n:2-90} thousand {thing} sets a year in {city}.",
    "{firm} earned {n:120-2850} million yuan with its {thing} in the last half-year, {n:6-64} percent more than a year ago, its report of {day} says.",
    "{n:17-46} organisations sat down in {city} on {day} to write the first common standard for the {thing}, with {trouble} at the top of the list.",
)
DETAIL = (
    "The biggest change in {name} is the {part}: {n:3-9} steps of production became {n:1-2}, and the {gname} is now {gnew}.",
    "Compared with the last generation, the makers redrew the {part} and used {method} in a {thing} for the first time.",
    "The unit consists of a {part}, a {part} and a {part}, and takes {n:12-55} minutes to put together.",
    "A separate {part} was added so that the machine can {task}, which raised the cost by {x:1.1-7.9} percent.",
    "Each unit carries a number from which the date of its {part} and the name of its inspector can be read.",
    "The manual has a page on {trouble}, with {n:3-8} drawings beside it.",
    "Buyers may choose among {n:2-4} versions, which differ mainly in the {part}; the cheapest keeps {method} and drops the radio.",
    "Under the agreement {firm2} supplies the {part}, and {lab} publishes a test report every quarter.",
    "There are {n:2-6} free ports, so that a better {part} can be fitted later without scrapping the rest.",
    "Whoever opens {name} finds the {part} at once, since it is painted red and {n:11-43} percent smaller than usual.",
    "Its screen starts with a curve of the {gname}, and no menu has to be opened for it.",
    "At {scene} two people look over the {part} in the morning, press a key, and {n:3-19} minutes later the first round is done.",
    "Air is damp there {n:90-280} days a year, a hard test for any {part}.",
    "What it promises is quickly told: it should {task}, and it may be told not to.",
    "Serial numbers begin at {n:1001-8999}, as the {n:2-9} hundred older ones never left the factory.",
)
QUOTE = (
    "“We do not lack ideas; we lack the patience to make a {part} work ten thousand times,” said {boss}.",
    "“Nobody believed that {method} could be used here,” {worker} recalled. “On the day of the {n:20-90}th failure we papered a wall with the data.”",
    "“I care about one thing only: can it {task}?” said the manager of {scene}.",
    "“{trouble!} is not one company's problem; the whole chain has to change,” said {expert}.",
    "“A {gname} of {gnew} is not hard,” {boss} admitted. “Three years of it are.”",
    "{expert} put it like this: “Without {method} a {thing} is a car with a throttle and no brake.”",
    "“In the past we stopped and waited for help; now we are back at work within half an hour,” said {worker}.",
    "“Do not make it a miracle,” warned {expert}. “It solves {trouble}, not everything.”",
    "According to {boss}, {n:4-17} members of the team once worked at {scene}: “They know best where it hurts.”",
    "“It took me a week to like it and another to need it,” wrote one of the {user} in the visitors' book.",
    "“Clients seldom ask for the price; they ask whom to call,” {boss} remarked, which is why a repair shop opened in {city2}.",
    "“My grandmother must be able to use it,” is the rule that {boss} gave the designers.",
    "“Every figure in a standard is the end of a quarrel,” {expert} smiled; the {gname} alone was rewritten {n:5-14} times.",
    "“The {part} tells you before it breaks,” {worker} added with some pride.",
    "Asked about rivals, {boss} named none: “We race against {trouble}.”",
    "“Look at the shoes of our staff,” joked {worker}, “and you will know how often they go to {scene}.”",
)
FIGURE = (
    "Tests gave a {gname} of {gnew} and a {gname2} of {gval2}, both better than the design asked for.",
    "In a trial of {n:15-120} days the system wrote down {n:2000-98000} readings and met {trouble} {n:2-19} times.",
    "Before the change the {gname} was {gold}; since then it has stayed close to {gnew}.",
    "With {n:200-900} units in use, savings would come to {n:36-980} thousand yuan a year, and the investment would be back in {n:11-38} months.",
    "Shipments in the first {n:3-9} months of the year rose by {x:4.1-58.0} percent, with {city} alone taking {x:5.2-31.0} percent.",
    "An independent body drew {n:30-300} samples, of which {x:94.1-99.9} percent passed; most of the others had a faulty {part}.",
    "What took people {n:40-180} minutes takes the machine {n:5-35}, and errors fell from {n:6-19} to {n:1-4} in a thousand.",
    "By the end of {month}, {n:210-9800} sets stood in {n:6-28} provinces, {x:92.0-99.8} percent of them on line.",
    "Readings arrive every {n:2-30} seconds, some {n:3-260} gigabytes a day, of which {n:6-22} percent are kept.",
    "Research took {n:31-72} percent of the staff and {n:30-980} million yuan last year, and brought {n:42-860} patents.",
    "The list price is {n:1299-89999} yuan; those who hand in an old machine pay {n:200-900} yuan less.",
    "Two groups of {n:24-96} were compared: in {gname} they lay {n:12-46} percent apart, in all else side by side.",
    "One unit serves {n:20-600} people a day if the {gname} is taken as {gnew}.",
    "On average a fault was found after {n:3-40} minutes and mended after {n:1-9} hours, half of last year's time.",
    "Of {n:60-900} orders on the books, {n:11-48} percent come from abroad, chiefly from Southeast Asia.",
    "Only {n:2-9} of {n:100-400} samples failed, each because of {trouble}.",
)
METHOD = (
    "In plain words, {method} cuts the work into small pieces and lets the {part} check each of them; a wrong step is taken back at once.",
    "To find the cause of {trouble}, the team sawed {n:40-400} failed parts in two and found a burr on the {part}.",
    "The secret is the {part}: it is {n:8-90} micrometres thick and must survive {n:300-9000} bends.",
    "As the first author of the paper explains, {method} is old; new are the settings that suit {scene}.",
    "The program learned from {n:30-600} thousand old records and was then corrected at {scene}, which cut its error by {n:18-57} percent.",
    "Measure the {gname}, replace the {part}, and only then try {method}: the order matters.",
    "The experiment ran in {city} and {city2} at once, neither side knowing the other's result, and {lab} put the two together.",
    "The code is in a public repository under the Apache licence, and {lab} invites others to repeat the test.",
    "Nobody in the group used the textbook way: {method} came first for the rough cut, {method} second for the fine one.",
    "Heat was lowered by {n:12-68} degrees and time prolonged by {n:2-9} minutes, and, against all fears, the {part} improved.",
    "A signal enters at the {part}, passes three filters, and leaves for the {part} within {n:4-90} milliseconds.",
    "Unlike foreign designs, this one does without an imported {part}.",
    "The price of {method} is one more {part}; its reward is the end of {trouble}.",
    "Cameras with a shutter of 1/{n:2000-8000} second were needed to see how the {part} moves.",
    "Students first tried {method} on a model made of wood, which is still kept behind glass.",
)
BACKGROUND = (
    "Demand among {user} has grown for years, yet nobody had a cure for {trouble}.",
    "{firm} was founded in {n:2009-2019} and made nothing but a {part} until {n:3-8} years ago.",
    "A similar idea came from {lab} as early as {n:2004-2012}, and was shelved because a {part} cost too much.",
    "{city} came late to {trade}, but {n:40-320} firms of the trade work there today.",
    "People in the trade look at the {gname} first, and every small step forward is dearly paid for.",
    "Last winter {trouble} stopped the pilot in {city2} for {n:3-16} days and taught everybody to keep a spare plan.",
    "Products on the market fall into two classes: those that care for the {gname}, and those that care for the price.",
    "For want of a common rule no {part} fits another maker's machine, so that repairers carry {n:3-7} sets of tools.",
    "The first {thing} was shown {n:12-20} years ago, when one cost as much as a flat.",
    "{n:3-9} companies once went down this road; {firm} and {firm2} are the ones that did not turn back.",
    "Until lately everything at {scene} was done by hand and came to a halt in rain or snow.",
    "By {n:2027-2030} the city wants its {trade} business to be worth {n:12-260} billion yuan.",
    "Two complaints come up whenever {user} meet: {trouble}, and slow repair.",
    "Engineers who know both {method} and {scene} are rare: {city} may have {n:30-200} of them.",
    "Abroad, a first attempt in {n:1998-2006} had ended with {trouble}.",
)
TROUBLE = (
    "There are problems, too. One is {trouble}; another is the {part}, for which one waits {n:9-32} weeks.",
    "The hardest part of the pilot was {trouble}: engineers lived on the site for {n:11-60} days because of it.",
    "Some {user} complain that the {part} is hard to replace and that the manual was written for experts.",
    "{expert!} noted that most tests took place at {scene}; elsewhere the result may differ.",
    "Cost is still in the way: the {part} alone makes up {n:18-46} percent of it.",
    "During the demonstration this reporter saw {trouble} once; after a restart all was well.",
    "Who owns the data, and who answers for {trouble}, is said in one line of the contract, and nobody thinks it enough.",
    "Rivals ask for the worst result as well: a {gname} measured on a fine day proves little.",
    "Winter is the worst season: a cold {part} turns brittle, and up to {x:3.1-12.0} percent of them came back.",
    "Small firms hesitate, for {n:18-260} thousand yuan is a great deal to pay at once.",
    "Old buildings cause more work than expected; to make room for the {part} took {n:2-7} weeks.",
    "Not everybody is convinced. Some {user} would rather wait until {trouble} is a thing of the past.",
    "A price war is coming: within {n:3-9} months the simplest model lost {n:11-37} percent of its price.",
    "Insurance offers no help yet, as no insurer can tell how often {trouble} occurs.",
)
SCENE = (
    "At {scene} the first thing one hears is a fan; {worker} kneels beside it and looks at the {part}.",
    "At {n:2-5} in the afternoon the first {user} arrived; some filmed, some put a hand on the {part}.",
    "A white board on the wall is full of guesses about {trouble}, most of them crossed out.",
    "Before the show {boss} switched the {part} off, so that all could see what happens without it.",
    "The rain had just stopped and the ground was wet, but the {thing} had finished its {n:14-88}th round of the day.",
    "In a corner lie {n:20-90} returned parts, each with a label that says why.",
    "The telephone rang at {n:10-11} p.m.: the system expected {trouble}, and {worker} reached for a coat.",
    "Over lunch the young engineers argue about {method} and draw on the table with chopsticks.",
    "One of the {user} has kept a diary for {n:3-14} months, with the {gname} of each day in blue ink.",
    "{n:2-8} machines that failed stand at the entrance, the oldest with a case of wood.",
    "A schoolgirl asked whether a {thing} could {task}; there was a silence, and then applause.",
    "The café downstairs has named a drink after the {part}.",
)
OUTLOOK = (
    "Next, {firm} wants to bring {method} to places like {scene}, and to publish a second set of test data within the year.",
    "The {part} is to be settled by {later}, and mass production to begin next year.",
    "{lab} goes on with its study of {trouble}; a draft standard is expected in {n:6-18} months.",
    "For next year {boss} names one aim: the {thing} must learn to {task}.",
    "The trial will grow from {n:3-9} sites to {n:20-120}, and the {gname} will be watched most closely.",
    "If {trouble} is not cured within {n:12-36} months, the partners will talk again.",
    "Courses have begun as well: the first {n:40-360} {user} will spend {n:3-15} days in {city2}.",
    "A second model is on paper already, with a {part} made at home, and should be switched on in {later}.",
    "Officials of {city} spoke of a grant of up to {n:300-6000} yuan for each machine that {user} buy.",
    "{expert!} advises all makers to publish how they measure the {gname}.",
    "When will it reach {scene}? “First let us get through this winter,” was the careful answer.",
    "All data will be laid open at this year's meeting of the {trade} society.",
    "Rent may come next: for {n:99-2900} yuan a month {user} would have the whole set.",
)
TITLES = (
    "{firm} presents {thing} for {user}",
    "{city} tests {thing} at {n:5-18} sites",
    "{lab} improves {thing} with {method}",
    "{firm} raises {n:80-960} mln yuan for its {part}",
    "Why {user} still wait for a {thing}",
    "Teaching a {thing} to {task}",
    "{firm} and {firm2} join forces in {city}",
    "An answer to {trouble}, from {city}",
    "{n:1000-9000} hours of work for {firm}'s {thing}",
    "Survey: {n:52-88}% of {user} would try a {thing}",
)
CAPTIONS = (
    "Photo taken on {day} shows a {thing} of {firm} in {city}.",
    "{worker!} checks the {part} at {scene}.",
)

### What the shop says to its customers. One key a sentence; the same promise in every language.
### Short and warm, as a friendly person behind the counter writes. Never a price, time or promise of its own:
### amounts, times and names come in as variables.

## How amounts, times and days are written

# What the language calls itself
language-name = Afrikaans
quoted = “{ $words }”
money = { $symbol }{"\u00A0"}{ $amount }
decimal-mark = ,
thousands-mark = {"\u00A0"}
time = { $hour }:{ $minute }
day-today = vandag
day-tomorrow = môre
day-0 = Maandag
day-1 = Dinsdag
day-2 = Woensdag
day-3 = Donderdag
day-4 = Vrydag
day-5 = Saterdag
day-6 = Sondag
# "tomorrow at 16:30", "Monday at 11:00"; $day is one of the above
day-and-time = { $day } om { $time }
# One period of opening hours
period = { $from }–{ $to }

## Lines of an order

line = { $quantity } × { $product }
option-without = sonder { $option }
option-extra = ekstra { $option }
option-light = min { $option }
option-no-extra = sonder ekstra { $option }
option-count = { $count } × { $option }
option-on-half = { $option } op die { $half }-helfte
line-sum = { $line } – { $sum }
sum-delivery = Aflewering – { $sum }
sum-delivery-free = Aflewering – gratis
sum-total = Totaal: { $sum }

## Greeting, menu, help

greeting = Hallo, dis { $shop } hierdie! Ek is die winkel se assistent. Skryf net wat jy graag wil hê, byvoorbeeld “{ $example }”.
greeting-known = Hallo { $name }, lekker om jou weer by { $shop } te sien! Wat kan ek vir jou kry?
greeting-usual = Vir dieselfde as laas ({ $lines }), skryf net “die gewone”.
greeting-help = Skryf “spyskaart” vir die lys, of “mens” en iemand van die winkel sal antwoord.
greeting-cart = Tot dusver in jou bestelling:
menu-head = Dit is wat ons het:
menu-pick = Ons het baie. Wat wil jy graag sien?
menu-more = … en nog meer. Vra net waarna jy soek.
menu-foot = Skryf net wat jy graag wil hê.
sold-out-mark = vandag uitverkoop
from-price = van { $price } af
thanks = Dis ’n plesier!
emoji-only = Dis gaaf van jou! Sê my wat jy graag wil hê, of skryf “spyskaart”.
languages = Ek praat hierdie tale. Watter een verkies jy?
language-set = Goed so, ons gaan in Afrikaans verder.
example = twee { $product }, een sonder { $option }
example-plain = twee { $product }

## Filling an order

cart-added = Bygevoeg: { $line }
cart-removed = Uitgehaal: { $line }
cart-changed = Verander: { $from } → { $to }
cart-quantity = { $line } in plaas van { $from }
cart-emptied = Goed so, die bestelling is weer leeg.
cart-so-far = Tot dusver: { $total }
cart-same = Dis hoe ek dit klaar het.
ask-which = Watter een bedoel jy?
ask-which-option = Watter { $group } bedoel jy vir { $product }?
ask-option = Watter { $group } vir { $product }?
ask-other-half = En die ander helfte van { $product }?
ask-fulfilment = Afhaal of aflewering? Of sê my wat jy nog wil hê.
ask-address = Waarheen moet ons dit bring? Straat, nommer en poskode, asseblief.
ask-postcode = Watter poskode of deel van die dorp is dit? Dan kan ek sien of ons daar uitkom.
ask-name = Op watter naam sal ek dit sit?
ask-anything = Wat wil jy graag bestel?
outside-zone = Jammer, ons lewer nie daar af nie. Jy is welkom om dit te kom haal – of gee my ’n ander adres.
pickup-only = Ons lewer nie af nie, maar jy is welkom om dit te kom haal.
below-minimum = Vir aflewering na { $zone } is die minimum { $minimum }; nog { $short } kort. Voeg iets by, of kom haal dit.
free-delivery-hint = Nog { $short } en die aflewering is gratis.
unmatched = Ek kon { $pieces } nie by ons kry nie.
unmatched-near = Ek kon { $pieces } nie by ons kry nie. Die naaste wat ons het: { $near }.
near-ask-one = Is dit wat jy bedoel?
near-ask-several = Bedoel jy een van hierdie?
near-no = Goed, ek het dit uitgelaat.
doubt = Het ek dit reg: { $lines }?
doubt-cart = Jou bestelling sal dan wees: { $lines }. Het ek dit reg?
doubt-empty = Moet ek jou bestelling leegmaak?
say-otherwise = Goed, ek het niks verander nie. Sê dit asseblief met ander woorde.
undone = Goed, soos dit voorheen was:
undo-none = Daar is niks wat ek kan terugvat nie.
pause = Geen haas nie, vat jou tyd.
pause-readback = Geen haas nie: niks word geplaas voordat jy ja sê nie.
pause-placed = Nommer { $number } is reeds by die winkel. Om dit te stop, skryf “kanselleer my bestelling”; vir enigiets anders, “mens”.
shop-changed = Die winkel het jou bestelling verander:
wish-noted = Ek gee dit saam met jou bestelling vir die winkel deur: { $wishes }
unavailable = Jammer, { $product } is op die oomblik uitverkoop.
option-unavailable = Jammer, { $option } is op die oomblik uitverkoop.
option-not-for = By ons gaan { $option } nie saam met { $product } nie.
too-many-options = Vir { $product } kan jy hoogstens { $max } kies ({ $group }).
too-many = { $quantity } × { $product } is meer as wat ek op my eie mag aanneem. Ek het iemand van die winkel gevra; jou bestelling tot dusver bly soos dit is.
too-many-items = Dis meer as wat ek op my eie mag aanneem. Ek het iemand van die winkel gevra; jou bestelling tot dusver bly soos dit is.
usual-none = Ek het nog geen vorige bestelling van jou nie. Wat wil jy graag hê?
usual-added = Dieselfde as laas:
usual-price = { $product } is nou { $now } (dit was { $before }).
usual-gone = { $product } is nie meer beskikbaar nie, daarom het ek dit uitgelaat.

## Reading back and placing

readback-head = Kyk asseblief of jou bestelling reg is:
readback-pickup = Afhaal, vir { $name }
readback-delivery = Aflewering by { $address }, vir { $name }
readback-note = Vir die winkel: { $wishes }
readback-closed = Ons is nou toe en maak { $opening } oop; jou bestelling wag tot dan vir ons.
readback-ask = Sal ek dit plaas?
readback-changed = Iets het intussen verander, so kyk asseblief weer:
readback-again = Ek plaas net wat jy nou net gesien het, so hier is die bestelling soos dit nou lyk:
not-placed = Goed so, ek het niks bestel nie. Wat sal ek verander?
placed = Dankie, { $name }! Jou bestelling is nommer { $number }, { $total }. Ek sê vir jou sodra die winkel dit aanvaar het.
placed-closed = Dankie, { $name }! Jou bestelling is nommer { $number }, { $total }. Ons maak { $opening } oop; ek sê vir jou sodra die winkel dit aanvaar het.
placed-already = Nommer { $number } is klaar geplaas; een keer is genoeg.
button-stale = Daardie knoppie hoort by ’n vorige boodskap. Sê my wat jy nou wil hê.
nothing-to-place = Daar is nog niks in jou bestelling nie. Wat wil jy graag hê?
nothing-to-confirm = Ek wag nie nou vir ’n ja of nee nie. Wat kan ek vir jou doen?

## News of an order

order-accepted-pickup = Nommer { $number } is aanvaar. Dis omtrent { $time } vir jou reg.
order-accepted-delivery = Nommer { $number } is aanvaar. Dit sal omtrent { $time } by jou wees.
order-declined = Jammer, die winkel kan nie nommer { $number } aanneem nie: { $reason }
order-ready-pickup = Nommer { $number } is reg. Jy kan dit kom haal!
order-ready-delivery = Nommer { $number } is reg en vertrek binnekort.
order-out = Nommer { $number } is op pad na jou toe.
order-delivered-pickup = Nommer { $number } is afgehaal. Geniet dit, en dankie!
order-delivered-delivery = Nommer { $number } is afgelewer. Geniet dit, en dankie!
order-cancelled = Nommer { $number } is gekanselleer.
order-cancel-late = Die kombuis het al met nommer { $number } begin, daarom kan ek dit nie self keer nie. Ek het iemand van die winkel gevra.
order-cancel-none = Ek sien geen bestelling wat gekanselleer kan word nie.
order-change-late = Ek kan nommer { $number } nie meer self verander nie. Ek het iemand van die winkel gevra.
status-none = Ek sien nie ’n bestelling wat aan die gang is nie. Wil jy iets bestel?
status-placed = Nommer { $number } is sedert { $since } by die winkel; hulle het dit nog nie aanvaar nie. Ek sê vir jou sodra hulle dit doen.
status-placed-closed = Nommer { $number } wag dat die winkel { $opening } oopmaak.
status-accepted-pickup = Nommer { $number } word gemaak; dit behoort omtrent { $time } reg te wees.
status-accepted-delivery = Nommer { $number } word gemaak; dit behoort omtrent { $time } by jou te wees.
status-late = Dis later as wat ons gesê het, en ek is jammer. Ek het die winkel gevra.
status-ready-pickup = Nommer { $number } is sedert { $since } vir jou reg.
status-ready-delivery = Nommer { $number } is sedert { $since } reg en vertrek binnekort.
status-out = Nommer { $number } is sedert { $since } op pad.
status-delivered = Nommer { $number } is om { $since } afgehandel.
status-declined = Nommer { $number } is deur die winkel van die hand gewys: { $reason }
status-cancelled = Nommer { $number } is gekanselleer.

## Questions

hours-open = Ons is nou oop, tot { $until }.
hours-always = Ons is altyd oop.
hours-closed = Ons is nou toe en maak { $opening } weer oop.
hours-closed-long = Ons is op die oomblik toe.
hours-day = { $day }: { $periods }
hours-day-closed = { $day }: toe
price-of = { $product }: { $price }
price-option = { $option }: +{ $price }
price-of-dearest = { $product } kos soveel soos die duurder helfte.
price-of-dearest-plus = { $product } kos soveel soos die duurder helfte, plus { $price }.
price-of-average = { $product } kos die helfte van elkeen se prys.
price-of-average-plus = { $product } kos die helfte van elkeen se prys, plus { $price }.
allergens = Volgens ons rekord bevat { $product }: { $allergens }.
allergens-none = Ons rekord noem geen allergene vir { $product } nie.
allergens-unknown = Ons het geen allergeenrekord vir { $product } nie.
allergens-person = As ’n allergie saak maak, skryf asseblief “mens” en iemand van die winkel sal antwoord.
allergen-celery = seldery
allergen-crustaceans = skaaldiere
allergen-egg = eier
allergen-fish = vis
allergen-gluten = gluten
allergen-lupin = lupien
allergen-milk = melk
allergen-molluscs = weekdiere
allergen-mustard = mosterd
allergen-nuts = neute
allergen-peanuts = grondboontjies
allergen-sesame = sesam
allergen-soy = soja
allergen-sulphites = sulfiete
delivery-head = Ons lewer af by:
delivery-zone = { $zone }: { $fee }, vir bestellings vanaf { $minimum }
delivery-zone-free = { $zone }: { $fee }, vir bestellings vanaf { $minimum }; gratis vanaf { $free }
delivery-zone-nominimum = { $zone }: { $fee }
stop-offers = Reg so: geen aanbiedings van ons af nie. Jy sal nog steeds van jou bestellings hoor.
start-offers = Graag: jy sal dalk nou en dan van ’n aanbieding by ons hoor. Skryf “geen aanbiedings” sodra jy genoeg gehad het.

## A person

calling-person = Ek het iemand van die winkel gevra. Hulle antwoord net hier; jy kan maar aanhou skryf.
calling-person-closed = Ek het iemand van die winkel gevra. Ons is nou toe en maak { $opening } oop; hulle antwoord dan net hier.
calling-still = Iemand van die winkel is gevra en sal net hier antwoord.
calling-unknown = Dit weet ek nie, daarom het ek iemand van die winkel gevra. Hulle antwoord net hier.
calling-slip = Ek snap dit nie, jammer. Ek het iemand van die winkel gevra, wat alles sien wat ons geskryf het.
calling-rest = Oor die res het ek iemand van die winkel gevra. Hulle antwoord net hier.
complaint = Ek is jammer, dis nie hoe dit moet wees nie. Ek het iemand van die winkel gevra om nou daarna te kyk. Hulle antwoord net hier.
my-data = Dis jou reg. Ek het iemand van die winkel gevra; hulle antwoord net hier.
not-understood = Jammer, ek het dit nie gesnap nie. Skryf net wat jy graag wil hê, byvoorbeeld “{ $example }”, of “mens” vir iemand van die winkel.
not-understood-ask = Jammer, ek het dit nie gesnap nie.
staff-joined = { $name } van die winkel is nou hier.
staff-left = { $name } het weer aan my, die assistent, oorgegee. Wat kan ek nog vir jou doen?
wordless-voice = Ek kan nie na stemboodskappe luister nie. Ek het iemand van die winkel gevra om dit te doen – of skryf dit vir my, as jy kan.
wordless-picture = Ek kan nie na foto’s kyk nie. Ek het iemand van die winkel gevra om te kyk.
wordless-sticker = Oulik! Sê my in woorde wat jy graag wil hê, dan sorg ek daarvoor.
wordless-location = Ek kan nog nie ’n kaartspeld lees nie. Skryf asseblief die adres: straat, nommer en poskode.
wordless-contact = Ek kan nie kontakkaarte gebruik nie. Skryf asseblief vir my wat jy nodig het.
wordless-file = Ek kan nie lêers oopmaak nie. Ek het iemand van die winkel gevra om te kyk.
wordless-edit = Ek het gesien jy het ’n vorige boodskap verander, maar ek volg net nuwes. Skryf dit asseblief nog een keer.
wordless-other = Ek kan nie daardie soort boodskap lees nie. Skryf asseblief in woorde vir my.
too-long = Dit was te lank vir my om goed te lees. Stuur dit asseblief in ’n paar korter boodskappe.

## Buttons

button-yes = Ja, plaas dit
button-right = Ja, reg
button-wrong = Nee
button-change = Verander iets
button-pickup = Afhaal
button-delivery = Aflewering
button-menu = Spyskaart
button-person = ’n Mens
button-usual = Die gewone

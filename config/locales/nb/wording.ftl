### What the shop says to its customers. One key a sentence; the same promise in every language.
### Short and warm, as a friendly person behind the counter writes. Never a price, time or promise of its own:
### amounts, times and names come in as variables.

## How amounts, times and days are written

# What the language calls itself
language-name = Norsk
quoted = «{ $words }»
money = { $amount }{"\u00A0"}{ $symbol }
decimal-mark = ,
thousands-mark = {"\u00A0"}
time = { $hour }:{ $minute }
day-today = i dag
day-tomorrow = i morgen
day-0 = mandag
day-1 = tirsdag
day-2 = onsdag
day-3 = torsdag
day-4 = fredag
day-5 = lørdag
day-6 = søndag
# "tomorrow at 16:30", "Monday at 11:00"; $day is one of the above
day-and-time = { $day } kl. { $time }
# One period of opening hours
period = { $from }–{ $to }

## Lines of an order

line = { $quantity } × { $product }
option-without = uten { $option }
option-extra = ekstra { $option }
option-light = lite { $option }
option-no-extra = uten ekstra { $option }
option-count = { $count } × { $option }
option-on-half = { $option } på { $half }-halvdelen
line-sum = { $line } – { $sum }
sum-delivery = Levering – { $sum }
sum-delivery-free = Levering – gratis
sum-total = Totalt: { $sum }

## Greeting, menu, help

greeting = Hei, dette er { $shop }! Jeg er assistenten her. Bare skriv hva du vil ha, for eksempel «{ $example }».
greeting-known = Hei { $name }, hyggelig å se deg igjen hos { $shop }! Hva skal det være?
greeting-usual = Vil du ha det samme som sist ({ $lines }), skriver du bare «det vanlige».
greeting-help = Skriv «meny» for å se hva vi har, eller «menneske», så svarer noen som jobber her.
greeting-cart = I bestillingen din så langt:
menu-head = Dette har vi:
menu-pick = Vi har mye. Hva vil du se?
menu-more = … og mer til. Bare spør etter det du leter etter.
menu-foot = Bare skriv hva du vil ha.
sold-out-mark = utsolgt i dag
from-price = fra { $price }
thanks = Bare hyggelig!
emoji-only = Så hyggelig! Si hva du vil ha, eller skriv «meny».
languages = Jeg kan disse språkene. Hvilket vil du helst bruke?
language-set = Da fortsetter vi på norsk.
example = to { $product }, en uten { $option }
example-plain = to { $product }

## Filling an order

cart-added = Lagt til: { $line }
cart-removed = Tatt bort: { $line }
cart-changed = Endret: { $from } → { $to }
cart-quantity = { $line } i stedet for { $from }
cart-emptied = Den er grei, bestillingen er tom igjen.
cart-so-far = Så langt: { $total }
cart-same = Slik har jeg det allerede.
ask-which = Hvilken mener du?
ask-which-option = Når det gjelder { $group } til { $product }: Hva mener du?
ask-option = Hva vil du ha av { $group } til { $product }?
ask-other-half = Og den andre halvdelen av { $product }?
ask-fulfilment = Henting eller levering? Eller si hva mer du vil ha.
ask-address = Hvor skal vi levere? Gate, nummer og postnummer, takk.
ask-postcode = Hvilket postnummer eller hvilken bydel er det? Da kan jeg se om vi leverer dit.
ask-name = Hvilket navn skal jeg sette på den?
ask-anything = Hva vil du bestille?
outside-zone = Beklager, vi leverer ikke dit. Du må gjerne hente selv – eller gi meg en annen adresse.
pickup-only = Vi leverer ikke, men du må gjerne hente selv.
below-minimum = For levering til { $zone } er minstebeløpet { $minimum }; det mangler { $short }. Legg til noe, eller hent selv.
free-delivery-hint = { $short } til, så er leveringen gratis.
unmatched = Jeg fant ikke { $pieces } hos oss.
unmatched-near = Jeg fant ikke { $pieces } hos oss. Det nærmeste vi har: { $near }.
near-ask-one = Er det det du mener?
near-ask-several = Mener du en av disse?
near-no = Greit, da lot jeg det være.
doubt = Forsto jeg det riktig: { $lines }?
doubt-cart = Bestillingen din blir da: { $lines }. Forsto jeg det riktig?
doubt-empty = Skal jeg tømme bestillingen din?
say-otherwise = Greit, jeg har ikke endret noe. Si det gjerne med andre ord.
undone = Greit, slik det var før:
undo-none = Det er ingenting jeg kan ta tilbake.
pause = Ingen hast, ta deg god tid.
pause-readback = Ingen hast: ingenting sendes inn før du sier ja.
pause-placed = Nummer { $number } er allerede sendt inn. Vil du stoppe den, skriv «avbestill»; er det noe annet, skriv «menneske».
shop-changed = Butikken har endret bestillingen din:
wish-noted = Jeg gir dette videre sammen med bestillingen: { $wishes }
unavailable = Beklager, { $product } er utsolgt akkurat nå.
option-unavailable = Beklager, { $option } er utsolgt akkurat nå.
option-not-for = { $option } til { $product } går dessverre ikke hos oss.
too-many-options = Til { $product } kan du velge høyst { $max } ({ $group }).
too-many = { $quantity } × { $product } er mer enn jeg har lov til å ta imot på egen hånd. Jeg har spurt noen som jobber her; bestillingen din så langt står som den er.
too-many-items = Det er mer enn jeg har lov til å ta imot på egen hånd. Jeg har spurt noen som jobber her; bestillingen din så langt står som den er.
usual-none = Jeg har ingen tidligere bestilling fra deg ennå. Hva vil du ha?
usual-added = Det samme som sist:
usual-price = { $product } koster nå { $now } (før { $before }).
usual-gone = { $product } er ikke å få lenger, så det lot jeg være å ta med.

## Reading back and placing

readback-head = Se over bestillingen din, er du grei:
readback-pickup = Henting, på navnet { $name }
readback-delivery = Levering til { $address }, på navnet { $name }
readback-note = Beskjed til oss: { $wishes }
readback-closed = Vi har stengt akkurat nå og åpner { $opening }; bestillingen din venter på oss til da.
readback-ask = Skal jeg sende den inn?
readback-changed = Noe har endret seg siden sist, så ta en titt til:
readback-again = Jeg sender bare inn det du nettopp har sett, så her er bestillingen slik den er nå:
not-placed = Den er grei, jeg har ikke bestilt noe. Hva skal jeg endre?
placed = Takk, { $name }! Bestillingen din har nummer { $number }, { $total }. Jeg sier fra så snart den er godtatt hos oss.
placed-closed = Takk, { $name }! Bestillingen din har nummer { $number }, { $total }. Vi åpner { $opening }; jeg sier fra så snart den er godtatt hos oss.
placed-already = Nummer { $number } er allerede sendt inn; én gang er nok.
button-stale = Den knappen hører til en tidligere melding. Si hva du vil ha nå.
nothing-to-place = Det er ikke noe i bestillingen din ennå. Hva vil du ha?
nothing-to-confirm = Jeg venter ikke på noe ja eller nei akkurat nå. Hva kan jeg gjøre for deg?

## News of an order

order-accepted-pickup = Nummer { $number } er godtatt. Klar til deg ca. kl. { $time }.
order-accepted-delivery = Nummer { $number } er godtatt. Den er hos deg ca. kl. { $time }.
order-declined = Beklager, vi kan ikke ta imot nummer { $number }: { $reason }
order-ready-pickup = Nummer { $number } er klar. Bare kom og hent!
order-ready-delivery = Nummer { $number } er klar og sendes snart av gårde.
order-out = Nummer { $number } er på vei til deg.
order-delivered-pickup = Nummer { $number } er hentet. Kos deg, og takk!
order-delivered-delivery = Nummer { $number } er levert. Kos deg, og takk!
order-cancelled = Nummer { $number } er avbestilt.
order-cancel-late = Kjøkkenet har begynt på nummer { $number }, så jeg kan ikke stoppe den selv. Jeg har spurt noen som jobber her.
order-cancel-none = Jeg ser ingen bestilling som kan avbestilles.
order-change-late = Jeg kan ikke endre nummer { $number } selv lenger. Jeg har spurt noen som jobber her.
status-none = Jeg ser ingen bestilling som er i gang. Vil du bestille noe?
status-placed = Nummer { $number } har ligget hos oss siden kl. { $since }, men er ikke godtatt ennå. Jeg sier fra så snart den er det.
status-placed-closed = Nummer { $number } venter på at vi åpner { $opening }.
status-accepted-pickup = Nummer { $number } lages nå; den skal være klar ca. kl. { $time }.
status-accepted-delivery = Nummer { $number } lages nå; den skal være hos deg ca. kl. { $time }.
status-late = Det har blitt senere enn vi sa, og det er jeg lei for. Jeg har spurt dem som jobber her.
status-ready-pickup = Nummer { $number } har vært klar til deg siden kl. { $since }.
status-ready-delivery = Nummer { $number } har vært klar siden kl. { $since } og sendes snart av gårde.
status-out = Nummer { $number } har vært på vei siden kl. { $since }.
status-delivered = Nummer { $number } ble fullført kl. { $since }.
status-declined = Vi kunne ikke ta imot nummer { $number }: { $reason }
status-cancelled = Nummer { $number } er avbestilt.

## Questions

hours-open = Vi har åpent nå, til { $until }.
hours-always = Vi har alltid åpent.
hours-closed = Vi har stengt nå og åpner igjen { $opening }.
hours-closed-long = Vi har stengt for tiden.
hours-day = { $day }: { $periods }
hours-day-closed = { $day }: stengt
price-of = { $product }: { $price }
price-option = { $option }: +{ $price }
price-of-dearest = { $product } koster det samme som den dyreste halvdelen.
price-of-dearest-plus = { $product } koster det samme som den dyreste halvdelen, pluss { $price }.
price-of-average = { $product } koster halvparten av prisen for hver av de to.
price-of-average-plus = { $product } koster halvparten av prisen for hver av de to, pluss { $price }.
allergens = Ifølge opplysningene våre inneholder { $product }: { $allergens }.
allergens-none = Opplysningene våre nevner ingen allergener for { $product }.
allergens-unknown = Vi har ingen allergenopplysninger for { $product }.
allergens-person = Hvis en allergi har noe å si, skriv «menneske», så svarer noen som jobber her.
allergen-celery = selleri
allergen-crustaceans = skalldyr
allergen-egg = egg
allergen-fish = fisk
allergen-gluten = gluten
allergen-lupin = lupin
allergen-milk = melk
allergen-molluscs = bløtdyr
allergen-mustard = sennep
allergen-nuts = nøtter
allergen-peanuts = peanøtter
allergen-sesame = sesam
allergen-soy = soya
allergen-sulphites = sulfitt
delivery-head = Vi leverer til:
delivery-zone = { $zone }: { $fee }, ved bestilling fra { $minimum }
delivery-zone-free = { $zone }: { $fee }, ved bestilling fra { $minimum }; gratis fra { $free }
delivery-zone-nominimum = { $zone }: { $fee }
stop-offers = Ordnet: ingen tilbud fra oss. Du hører fortsatt fra oss om bestillingene dine.
start-offers = Gjerne! Du kan få høre om et tilbud fra oss av og til. Skriv «ingen tilbud» når du har fått nok.

## A person

calling-person = Jeg har spurt noen som jobber her. De svarer her i chatten; du kan bare skrive videre.
calling-person-closed = Jeg har spurt noen som jobber her. Vi har stengt nå og åpner { $opening }; da svarer de her i chatten.
calling-still = Noen som jobber her, har fått beskjed og svarer her i chatten.
calling-unknown = Det vet jeg ikke, så jeg har spurt noen som jobber her. De svarer her i chatten.
calling-slip = Jeg skjønner det ikke, beklager. Jeg har spurt noen som jobber her, og de ser alt vi har skrevet.
calling-rest = Resten har jeg spurt noen som jobber her om. De svarer deg her.
complaint = Det er jeg lei for, slik skal det ikke være. Jeg har bedt noen som jobber her, om å se på det nå. De svarer her i chatten.
my-data = Det har du rett til. Jeg har spurt noen som jobber her; de svarer her i chatten.
not-understood = Beklager, det skjønte jeg ikke. Bare skriv hva du vil ha, for eksempel «{ $example }», eller «menneske» for å snakke med noen som jobber her.
not-understood-ask = Beklager, det skjønte jeg ikke.
staff-joined = { $name }, som jobber her, er med i chatten nå.
staff-left = { $name } har gitt ordet videre til meg, assistenten. Hva mer kan jeg gjøre for deg?
wordless-voice = Jeg kan ikke høre på talemeldinger. Jeg har bedt noen som jobber her, om å gjøre det – eller skriv det til meg, hvis du kan.
wordless-picture = Jeg kan ikke se på bilder. Jeg har bedt noen som jobber her, om å ta en titt.
wordless-sticker = Den var fin! Si med ord hva du vil ha, så ordner jeg det.
wordless-location = Jeg kan ikke lese kartpunkter ennå. Skriv adressen, er du grei: gate, nummer og postnummer.
wordless-contact = Jeg kan ikke bruke kontaktkort. Skriv til meg hva du trenger.
wordless-file = Jeg kan ikke åpne filer. Jeg har bedt noen som jobber her, om å ta en titt.
wordless-edit = Jeg så at du endret en tidligere melding, men jeg får bare med meg nye. Skriv det en gang til, er du grei.
wordless-other = Jeg kan ikke lese den typen meldinger. Skriv til meg med ord, er du grei.
too-long = Den var for lang til at jeg kunne lese den ordentlig. Send den i noen kortere meldinger, er du grei.

## Buttons

button-yes = Ja, send den inn
button-right = Ja, riktig
button-wrong = Nei
button-change = Endre noe
button-pickup = Henting
button-delivery = Levering
button-menu = Meny
button-person = Et menneske
button-usual = Det vanlige

### What the shop says to its customers. One key a sentence; the same promise in every language.
### Short and warm, as a friendly person behind the counter writes. Never a price, time or promise of its own:
### amounts, times and names come in as variables.

## How amounts, times and days are written

# What the language calls itself
language-name = Română
quoted = „{ $words }”
money = { $amount }{"\u00A0"}{ $symbol }
decimal-mark = ,
thousands-mark = .
time = { $hour }:{ $minute }
day-today = astăzi
day-tomorrow = mâine
day-0 = luni
day-1 = marți
day-2 = miercuri
day-3 = joi
day-4 = vineri
day-5 = sâmbătă
day-6 = duminică
# "tomorrow at 16:30", "Monday at 11:00"; $day is one of the above
day-and-time = { $day } la { $time }
# One period of opening hours
period = { $from }–{ $to }

## Lines of an order

line = { $quantity } × { $product }
option-without = fără { $option }
option-extra = extra { $option }
option-light = porție mică de { $option }
option-no-extra = fără extra { $option }
option-count = { $count } × { $option }
option-on-half = { $option } pe jumătatea { $half }
line-sum = { $line } – { $sum }
sum-delivery = Livrare – { $sum }
sum-delivery-free = Livrare – gratuită
sum-total = Total: { $sum }

## Greeting, menu, help

greeting = Bună, aici { $shop }! Eu sunt asistentul de aici. Scrieți pur și simplu ce doriți, de exemplu „{ $example }”.
greeting-known = Bună, { $name }, ne bucurăm să vă revedem la { $shop }! Cu ce vă servim?
greeting-usual = Pentru același lucru ca data trecută ({ $lines }), scrieți doar „ca de obicei”.
greeting-help = Scrieți „meniu” pentru listă sau „om” și vă va răspunde cineva din echipă.
greeting-cart = În comanda dumneavoastră până acum:
menu-head = Iată ce avem:
menu-pick = Avem multe. Ce ați vrea să vedeți?
menu-more = … și altele. Întrebați direct de ce căutați.
menu-foot = Scrieți pur și simplu ce doriți.
sold-out-mark = azi nu mai avem
from-price = de la { $price }
thanks = Cu mare drag!
emoji-only = Ce drăguț! Spuneți-mi ce doriți sau scrieți „meniu”.
languages = Vorbesc aceste limbi. Pe care o preferați?
language-set = Bine, continuăm în română.
example = 2 { $product }, 1 fără { $option }
example-plain = 2 { $product }

## Filling an order

cart-added = Am adăugat: { $line }
cart-removed = Am scos: { $line }
cart-changed = Am schimbat: { $from } → { $to }
cart-quantity = { $line } în loc de { $from }
cart-emptied = Bine, comanda este din nou goală.
cart-so-far = Până acum: { $total }
cart-same = Așa o am deja notată.
ask-which = La ce anume vă referiți?
ask-which-option = La ce { $group } vă referiți pentru { $product }?
ask-option = Ce { $group } doriți pentru { $product }?
ask-other-half = Și cealaltă jumătate pentru { $product }?
ask-fulfilment = Ridicare sau livrare? Sau spuneți-mi ce mai doriți.
ask-address = Unde o aducem? Strada, numărul și codul poștal, vă rog.
ask-postcode = Ce cod poștal sau ce cartier este? Așa văd dacă ajungem acolo.
ask-name = Pe ce nume o trec?
ask-anything = Ce doriți să comandați?
outside-zone = Ne pare rău, acolo nu livrăm. Vă așteptăm cu drag să o ridicați – sau dați-mi altă adresă.
pickup-only = Nu facem livrări, dar vă așteptăm cu drag să o ridicați.
below-minimum = Pentru livrare ({ $zone }), comanda minimă este { $minimum }; mai trebuie { $short }. Adăugați ceva sau veniți să o ridicați.
free-delivery-hint = Încă { $short } și livrarea este gratuită.
unmatched = Nu am găsit { $pieces } la noi.
unmatched-near = Nu am găsit { $pieces } la noi. Cel mai apropiat din ce avem: { $near }.
near-ask-one = La asta vă gândiți?
near-ask-several = Vă gândiți la una dintre acestea?
near-no = Bine, nu o adaug.
doubt = Am înțeles bine: { $lines }?
doubt-cart = Comanda ar fi atunci: { $lines }. Am înțeles bine?
doubt-empty = Golesc comanda?
say-otherwise = Bine, nu am schimbat nimic. Spuneți-mi, vă rog, cu alte cuvinte.
undone = Bine, la fel ca înainte:
undo-none = Nu am ce să dau înapoi.
pause = Nu vă grăbiți, vă aștept.
pause-readback = Nu vă grăbiți: nu plasez nimic până nu spuneți da.
pause-placed = Comanda { $number } a ajuns deja la noi. Ca s-o opriți, scrieți „anulați comanda”; pentru orice altceva, „om”.
shop-changed = Magazinul v-a modificat comanda:
wish-noted = Transmit asta împreună cu comanda: { $wishes }
unavailable = Ne pare rău, momentan nu mai avem { $product }.
option-unavailable = Din păcate, momentan nu mai avem { $option }.
option-not-for = { $product } cu { $option } nu se poate la noi.
too-many-options = Pentru { $product } puteți alege cel mult { $max } ({ $group }).
too-many = { $quantity } × { $product } este mai mult decât am voie să preiau singur. Am întrebat pe cineva din echipă; comanda de până acum rămâne așa cum este.
too-many-items = Este mai mult decât am voie să preiau singur. Am întrebat pe cineva din echipă; comanda de până acum rămâne așa cum este.
usual-none = Încă nu am nicio comandă anterioară de la dumneavoastră. Ce doriți?
usual-added = La fel ca data trecută:
usual-price = { $product } costă acum { $now } (înainte { $before }).
usual-gone = Nu mai avem { $product }, așa că nu apare în comandă.

## Reading back and placing

readback-head = Verificați, vă rog, comanda:
readback-pickup = Ridicare, pe numele { $name }
readback-delivery = Livrare la { $address }, pe numele { $name }
readback-note = Mențiune: { $wishes }
readback-closed = Acum este închis și deschidem { $opening }; comanda ne așteaptă până atunci.
readback-ask = Plasez comanda?
readback-changed = Între timp s-a schimbat ceva, așa că mai aruncați o privire, vă rog:
readback-again = Plasez doar ce tocmai ați văzut, așa că iată comanda așa cum este acum:
not-placed = Bine, nu am comandat nimic. Ce să schimb?
placed = Mulțumim, { $name }! Comanda are numărul { $number }, { $total }. Vă anunț imediat ce o acceptă echipa.
placed-closed = Mulțumim, { $name }! Comanda are numărul { $number }, { $total }. Deschidem { $opening }; vă anunț imediat ce o acceptă echipa.
placed-already = Comanda { $number } este deja plasată; o dată ajunge.
button-stale = Butonul acela ține de un mesaj mai vechi. Spuneți-mi ce doriți acum.
nothing-to-place = Încă nu este nimic în comandă. Ce doriți?
nothing-to-confirm = Acum nu aștept un da sau un nu. Cu ce vă pot ajuta?

## News of an order

order-accepted-pickup = Comanda { $number } este acceptată. E gata pentru dumneavoastră în jur de { $time }.
order-accepted-delivery = Comanda { $number } este acceptată. Ajunge la dumneavoastră în jur de { $time }.
order-declined = Ne pare rău, nu putem prelua comanda { $number }: { $reason }
order-ready-pickup = Comanda { $number } este gata. Puteți veni după ea!
order-ready-delivery = Comanda { $number } este gata și pleacă în curând.
order-out = Comanda { $number } este în drum spre dumneavoastră.
order-delivered-pickup = Comanda { $number } a fost ridicată. Să vă fie cu folos și vă mulțumim!
order-delivered-delivery = Comanda { $number } a fost livrată. Să vă fie cu folos și vă mulțumim!
order-cancelled = Comanda { $number } este anulată.
order-cancel-late = Bucătăria s-a apucat deja de comanda { $number }, așa că nu o mai pot opri eu. Am întrebat pe cineva din echipă.
order-cancel-none = Nu văd nicio comandă care s-ar putea anula.
order-change-late = Comanda { $number } nu o mai pot schimba eu. Am întrebat pe cineva din echipă.
status-none = Nu văd nicio comandă în lucru. Doriți să comandați ceva?
status-placed = Comanda { $number } este la noi de la { $since }, dar echipa încă nu a acceptat-o. Vă anunț imediat ce o acceptă.
status-placed-closed = Comanda { $number } așteaptă să deschidem { $opening }.
status-accepted-pickup = Comanda { $number } se pregătește; ar trebui să fie gata în jur de { $time }.
status-accepted-delivery = Comanda { $number } se pregătește; ar trebui să ajungă la dumneavoastră în jur de { $time }.
status-late = Durează mai mult decât am spus și îmi pare rău. Am întrebat echipa.
status-ready-pickup = Comanda { $number } este gata și vă așteaptă de la { $since }.
status-ready-delivery = Comanda { $number } este gata de la { $since } și pleacă în curând.
status-out = Comanda { $number } este pe drum de la { $since }.
status-delivered = Comanda { $number } a fost finalizată la { $since }.
status-declined = Comanda { $number } nu a putut fi preluată: { $reason }
status-cancelled = Comanda { $number } este anulată.

## Questions

hours-open = Acum este deschis, până la { $until }.
hours-always = Este deschis mereu.
hours-closed = Acum este închis și redeschidem { $opening }.
hours-closed-long = Momentan este închis.
hours-day = { $day }: { $periods }
hours-day-closed = { $day }: închis
price-of = { $product }: { $price }
price-option = { $option }: +{ $price }
price-of-dearest = { $product } costă cât jumătatea mai scumpă.
price-of-dearest-plus = { $product } costă cât jumătatea mai scumpă, plus { $price }.
price-of-average = { $product } costă jumătate din prețul fiecăreia.
price-of-average-plus = { $product } costă jumătate din prețul fiecăreia, plus { $price }.
allergens = Conform evidenței noastre, alergeni în { $product }: { $allergens }.
allergens-none = Evidența noastră nu menționează alergeni pentru { $product }.
allergens-unknown = Nu avem o evidență a alergenilor pentru { $product }.
allergens-person = Dacă o alergie contează, scrieți, vă rog, „om” și vă va răspunde cineva din echipă.
allergen-celery = țelină
allergen-crustaceans = crustacee
allergen-egg = ou
allergen-fish = pește
allergen-gluten = gluten
allergen-lupin = lupin
allergen-milk = lapte
allergen-molluscs = moluște
allergen-mustard = muștar
allergen-nuts = fructe cu coajă lemnoasă
allergen-peanuts = arahide
allergen-sesame = susan
allergen-soy = soia
allergen-sulphites = sulfiți
delivery-head = Livrăm în:
delivery-zone = { $zone }: { $fee }, la comenzi de la { $minimum }
delivery-zone-free = { $zone }: { $fee }, la comenzi de la { $minimum }; gratuit de la { $free }
delivery-zone-nominimum = { $zone }: { $fee }
stop-offers = Gata: nicio ofertă de la noi. Despre comenzile dumneavoastră veți primi vești în continuare.
start-offers = Cu drag: din când în când s-ar putea să aflați de la noi de o ofertă. Scrieți „fără oferte” oricând v-ați săturat.

## A person

calling-person = Am chemat pe cineva din echipă. Vă răspunde chiar aici; puteți scrie în continuare.
calling-person-closed = Am chemat pe cineva din echipă. Acum este închis și deschidem { $opening }; atunci vă răspunde chiar aici.
calling-still = Cineva din echipă a fost deja chemat și vă va răspunde chiar aici.
calling-unknown = Asta nu știu, așa că am întrebat pe cineva din echipă. Vă răspunde chiar aici.
calling-slip = Nu reușesc să înțeleg, îmi pare rău. Am chemat pe cineva din echipă, care vede tot ce am scris.
calling-rest = Pentru rest am chemat pe cineva din echipă. Vă răspunde chiar aici.
complaint = Îmi pare rău, nu așa ar trebui să fie. Am rugat pe cineva din echipă să se uite acum la asta. Vă răspunde chiar aici.
my-data = Este dreptul dumneavoastră. Am chemat pe cineva din echipă; vă răspunde chiar aici.
not-understood = Scuze, nu am înțeles. Scrieți pur și simplu ce doriți, de exemplu „{ $example }”, sau „om” pentru cineva din echipă.
not-understood-ask = Scuze, nu am înțeles.
staff-joined = { $name } din echipa noastră este acum aici.
staff-left = { $name } mi-a predat conversația mie, asistentului. Cu ce vă mai pot ajuta?
wordless-voice = Nu pot asculta mesaje vocale. Am rugat pe cineva din echipă să îl asculte – sau scrieți-mi, dacă puteți.
wordless-picture = Nu pot vedea imagini. Am rugat pe cineva din echipă să se uite.
wordless-sticker = Simpatic! Spuneți-mi în cuvinte ce doriți și mă ocup eu.
wordless-location = Încă nu pot citi un punct de pe hartă. Scrieți, vă rog, adresa: strada, numărul și codul poștal.
wordless-contact = Nu pot folosi contacte trimise. Scrieți-mi, vă rog, de ce aveți nevoie.
wordless-file = Nu pot deschide fișiere. Am rugat pe cineva din echipă să se uite.
wordless-edit = Am văzut că ați modificat un mesaj mai vechi, dar eu le urmăresc doar pe cele noi. Mai scrieți o dată, vă rog.
wordless-other = Nu pot citi genul acesta de mesaj. Scrieți-mi, vă rog, în cuvinte.
too-long = A fost prea lung ca să pot citi bine. Trimiteți, vă rog, în câteva mesaje mai scurte.

## Buttons

button-yes = Da, plasați comanda
button-right = Da, corect
button-wrong = Nu
button-change = Schimb ceva
button-pickup = Ridicare
button-delivery = Livrare
button-menu = Meniu
button-person = Un om
button-usual = Ca de obicei

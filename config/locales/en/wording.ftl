### What the shop says to its customers. One key a sentence; the same promise in every language.
### Short and warm, as a friendly person behind the counter writes. Never a price, time or promise of its own:
### amounts, times and names come in as variables.

## How amounts, times and days are written

# What the language calls itself
language-name = English
quoted = “{ $words }”
money = { $symbol }{ $amount }
decimal-mark = .
thousands-mark = ,
time = { $hour }:{ $minute }
day-today = today
day-tomorrow = tomorrow
day-0 = Monday
day-1 = Tuesday
day-2 = Wednesday
day-3 = Thursday
day-4 = Friday
day-5 = Saturday
day-6 = Sunday
# "tomorrow at 16:30", "Monday at 11:00"; $day is one of the above
day-and-time = { $day } at { $time }
# One period of opening hours
period = { $from }–{ $to }

## Lines of an order

line = { $quantity } × { $product }
option-without = no { $option }
option-extra = extra { $option }
option-light = light { $option }
option-no-extra = no extra { $option }
option-count = { $count } × { $option }
option-on-half = { $option } on the { $half } half
line-sum = { $line } – { $sum }
sum-delivery = Delivery – { $sum }
sum-delivery-free = Delivery – free
sum-total = Total: { $sum }

## Greeting, menu, help

greeting = Hi, this is { $shop }! I'm the shop's assistant. Just write what you would like, for example “{ $example }”.
greeting-known = Hi { $name }, good to see you again at { $shop }! What can I get you?
greeting-usual = For the same as last time ({ $lines }), just write “the usual”.
greeting-help = Write “menu” for the list, or “person” and somebody from the shop will answer.
greeting-cart = In your order so far:
menu-head = This is what we have:
menu-pick = We have a lot. What would you like to see?
menu-more = … and more. Just ask for what you are looking for.
menu-foot = Just write what you would like.
sold-out-mark = sold out today
from-price = from { $price }
thanks = You're welcome!
emoji-only = That's kind! Tell me what you would like, or write “menu”.
languages = I speak these languages. Which one do you prefer?
language-set = All right, we'll go on in English.
example = two { $product }, one without { $option }
example-plain = two { $product }

## Filling an order

cart-added = Added: { $line }
cart-removed = Removed: { $line }
cart-changed = Changed: { $from } → { $to }
cart-quantity = { $line } instead of { $from }
cart-emptied = All right, the order is empty again.
cart-so-far = So far: { $total }
cart-same = That is how I have it already.
ask-which = Which one do you mean?
ask-which-option = Which { $group } do you mean for { $product }?
ask-option = Which { $group } for { $product }?
ask-other-half = And the other half of { $product }?
ask-fulfilment = Pickup or delivery? Or tell me what else you would like.
ask-address = Where shall we bring it? Street, number and postcode, please.
ask-postcode = Which postcode or part of town is that? Then I can see whether we get there.
ask-name = What name shall I put on it?
ask-anything = What would you like to order?
outside-zone = Sorry, we don't deliver there. You are welcome to pick it up – or give me another address.
pickup-only = We don't deliver, but you are welcome to pick it up.
below-minimum = For delivery to { $zone } the minimum is { $minimum }; { $short } to go. Add something, or pick it up.
free-delivery-hint = { $short } more and the delivery is free.
unmatched = I couldn't find { $pieces } with us.
unmatched-near = I couldn't find { $pieces } with us. The nearest we have: { $near }.
near-ask-one = Is that what you mean?
near-ask-several = Do you mean one of these?
near-no = All right, I left it out.
doubt = Did I get that right: { $lines }?
doubt-cart = Your order would then be: { $lines }. Did I get that right?
doubt-empty = Shall I empty your order?
say-otherwise = All right, I have changed nothing. Please say it in other words.
undone = All right, as it was before:
undo-none = There is nothing that I could take back.
pause = No hurry, take your time.
pause-readback = No hurry: nothing is placed until you say yes.
pause-placed = Number { $number } is with the shop already. To call it off, write “cancel my order”; for anything else, “person”.
shop-changed = The shop has changed your order:
wish-noted = I'll pass this on to the shop with your order: { $wishes }
unavailable = Sorry, { $product } is sold out at the moment.
option-unavailable = Sorry, we are out of { $option } at the moment.
option-not-for = { $option } doesn't go with { $product } here.
too-many-options = { $product } takes at most { $max } of { $group }.
too-many = { $quantity } × { $product } is more than I may take on my own. I have asked somebody from the shop; your order so far stays as it is.
too-many-items = That is more than I may take on my own. I have asked somebody from the shop; your order so far stays as it is.
usual-none = I have no earlier order of yours yet. What would you like?
usual-added = The same as last time:
usual-price = { $product } is now { $now } (it was { $before }).
usual-gone = { $product } is not available any more, so I left it out.

## Reading back and placing

readback-head = Please check your order:
readback-pickup = Pickup, for { $name }
readback-delivery = Delivery to { $address }, for { $name }
readback-note = For the shop: { $wishes }
readback-closed = We are closed right now and open { $opening }; your order waits for us until then.
readback-ask = Shall I place it?
readback-changed = Something has changed since, so please look again:
readback-again = I only place what you have just seen, so here is the order as it stands now:
not-placed = All right, I haven't ordered anything. What shall I change?
placed = Thank you, { $name }! Your order is number { $number }, { $total }. I'll tell you as soon as the shop has accepted it.
placed-closed = Thank you, { $name }! Your order is number { $number }, { $total }. We open { $opening }; I'll tell you as soon as the shop has accepted it.
placed-already = Number { $number } is placed already; once is enough.
button-stale = That button belongs to an earlier message. Tell me what you would like now.
nothing-to-place = There is nothing in your order yet. What would you like?
nothing-to-confirm = I'm not waiting for a yes or no at the moment. What can I do for you?

## News of an order

order-accepted-pickup = Number { $number } is accepted. Ready for you at about { $time }.
order-accepted-delivery = Number { $number } is accepted. It will be with you at about { $time }.
order-declined = Sorry, the shop can't take number { $number }: { $reason }
order-ready-pickup = Number { $number } is ready. You can come for it!
order-ready-delivery = Number { $number } is ready and leaves soon.
order-out = Number { $number } is on its way to you.
order-delivered-pickup = Number { $number } has been picked up. Enjoy, and thank you!
order-delivered-delivery = Number { $number } has been delivered. Enjoy, and thank you!
order-cancelled = Number { $number } is cancelled.
order-cancel-late = The kitchen has started on number { $number }, so I can't stop it myself. I have asked somebody from the shop.
order-cancel-none = I see no order that could be cancelled.
order-change-late = I can't change number { $number } myself any more. I have asked somebody from the shop.
status-none = I see no order under way. Would you like to order something?
status-placed = Number { $number } is with the shop since { $since }; they have not accepted it yet. I'll tell you as soon as they do.
status-placed-closed = Number { $number } waits for the shop to open { $opening }.
status-accepted-pickup = Number { $number } is being made; it should be ready at about { $time }.
status-accepted-delivery = Number { $number } is being made; it should be with you at about { $time }.
status-late = It is later than we said, and I am sorry. I have asked the shop.
status-ready-pickup = Number { $number } is ready for you since { $since }.
status-ready-delivery = Number { $number } is ready since { $since } and leaves soon.
status-out = Number { $number } is on its way since { $since }.
status-delivered = Number { $number } was completed at { $since }.
status-declined = Number { $number } was declined by the shop: { $reason }
status-cancelled = Number { $number } is cancelled.

## Questions

hours-open = We are open now, until { $until }.
hours-always = We are always open.
hours-closed = We are closed now and open again { $opening }.
hours-closed-long = We are closed at the moment.
hours-day = { $day }: { $periods }
hours-day-closed = { $day }: closed
price-of = { $product }: { $price }
price-option = { $option }: +{ $price }
price-of-dearest = { $product } costs what the dearer half costs.
price-of-dearest-plus = { $product } costs what the dearer half costs, plus { $price }.
price-of-average = { $product } costs half of what each of the two costs.
price-of-average-plus = { $product } costs half of what each of the two costs, plus { $price }.
allergens = By our record { $product } contains: { $allergens }.
allergens-none = Our record names no allergens for { $product }.
allergens-unknown = We have no allergen record for { $product }.
allergens-person = If an allergy matters, please write “person” and somebody from the shop will answer.
allergen-celery = celery
allergen-crustaceans = crustaceans
allergen-egg = egg
allergen-fish = fish
allergen-gluten = gluten
allergen-lupin = lupin
allergen-milk = milk
allergen-molluscs = molluscs
allergen-mustard = mustard
allergen-nuts = nuts
allergen-peanuts = peanuts
allergen-sesame = sesame
allergen-soy = soy
allergen-sulphites = sulphites
delivery-head = We deliver to:
delivery-zone = { $zone }: { $fee }, from an order of { $minimum }
delivery-zone-free = { $zone }: { $fee }, from an order of { $minimum }; free from { $free }
delivery-zone-nominimum = { $zone }: { $fee }
stop-offers = Done: no offers from us. You will still hear about your orders.
start-offers = Gladly: you may hear of an offer from us now and then. Write “no offers” whenever you have had enough.

## A person

calling-person = I have asked somebody from the shop. They answer right here; you can go on writing.
calling-person-closed = I have asked somebody from the shop. We are closed now and open { $opening }; they answer right here then.
calling-still = Somebody from the shop has been asked and will answer right here.
calling-unknown = I don't know that, so I have asked somebody from the shop. They answer right here.
calling-slip = I don't get it, sorry. I have asked somebody from the shop, who sees all that we have written.
calling-rest = About the rest I have asked somebody from the shop. They answer right here.
complaint = I'm sorry, that is not how it should be. I have asked somebody from the shop to look at it now. They answer right here.
my-data = That is your right. I have asked somebody from the shop; they answer right here.
not-understood = Sorry, I didn't get that. Just write what you would like, for example “{ $example }”, or “person” for somebody from the shop.
not-understood-ask = Sorry, I didn't get that.
staff-joined = { $name } from the shop is here now.
staff-left = { $name } has handed over to me, the assistant. What else can I do for you?
wordless-voice = I can't listen to voice notes. I have asked somebody from the shop to – or write it to me, if you can.
wordless-picture = I can't look at pictures. I have asked somebody from the shop to have a look.
wordless-sticker = Nice one! Tell me in words what you would like, and I'll see to it.
wordless-location = I can't read a map pin yet. Please write the address: street, number and postcode.
wordless-contact = I can't use contact cards. Please write to me what you need.
wordless-file = I can't open files. I have asked somebody from the shop to have a look.
wordless-edit = I saw that you changed an earlier message, but I only follow new ones. Please write it once more.
wordless-other = I can't read that kind of message. Please write to me in words.
too-long = That was too long for me to read well. Please send it in a few shorter messages.

## Buttons

button-yes = Yes, place it
button-right = Yes, right
button-wrong = No
button-change = Change something
button-pickup = Pickup
button-delivery = Delivery
button-menu = Menu
button-person = A person
button-usual = The usual

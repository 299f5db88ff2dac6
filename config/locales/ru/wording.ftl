### What the shop says to its customers. One key a sentence; the same promise in every language.
### Short and warm, as a friendly person behind the counter writes. Never a price, time or promise of its own:
### amounts, times and names come in as variables.

## How amounts, times and days are written

# What the language calls itself
language-name = Русский
quoted = «{ $words }»
money = { $amount }{"\u00A0"}{ $symbol }
decimal-mark = ,
thousands-mark = {"\u00A0"}
time = { $hour }:{ $minute }
day-today = сегодня
day-tomorrow = завтра
day-0 = в понедельник
day-1 = во вторник
day-2 = в среду
day-3 = в четверг
day-4 = в пятницу
day-5 = в субботу
day-6 = в воскресенье
# "tomorrow at 16:30", "Monday at 11:00"; $day is one of the above
day-and-time = { $day } в { $time }
# One period of opening hours
period = { $from }–{ $to }

## Lines of an order

line = { $quantity } × { $product }
option-without = без: { $option }
option-extra = дополнительно: { $option }
option-light = поменьше: { $option }
option-no-extra = без добавки: { $option }
option-count = { $count } × { $option }
option-on-half = { $option } на половине «{ $half }»
line-sum = { $line } — { $sum }
sum-delivery = Доставка — { $sum }
sum-delivery-free = Доставка — бесплатно
sum-total = Итого: { $sum }

## Greeting, menu, help

greeting = Здравствуйте, это { $shop }! Я здешний помощник. Просто напишите, что вы хотите, например «{ $example }».
greeting-known = Здравствуйте, { $name }! Это { $shop }, рады снова вас видеть! Что для вас?
greeting-usual = Хотите то же, что в прошлый раз ({ $lines })? Просто напишите «как обычно».
greeting-help = Напишите «меню», чтобы увидеть список, или «человек» — и вам ответит сотрудник.
greeting-cart = Сейчас в вашем заказе:
menu-head = Вот что у нас есть:
menu-pick = У нас много всего. Что вам показать?
menu-more = … и не только. Просто спросите, что вы ищете.
menu-foot = Просто напишите, что вы хотите.
sold-out-mark = сегодня распродано
from-price = от { $price }
thanks = Всегда пожалуйста!
emoji-only = Как приятно! Скажите, что вы хотите, или напишите «меню».
languages = Я говорю на этих языках. Какой вам удобнее?
language-set = Хорошо, продолжаем на русском.
example = 2 { $product }, 1 без: { $option }
example-plain = 2 { $product }

## Filling an order

cart-added = Добавлено: { $line }
cart-removed = Убрано: { $line }
cart-changed = Изменено: { $from } → { $to }
cart-quantity = { $line } (вместо: { $from })
cart-emptied = Хорошо, в заказе снова пусто.
cart-so-far = Пока получается: { $total }
cart-same = У меня так уже и записано.
ask-which = Что именно вы имеете в виду?
ask-which-option = { $product }, { $group }: что именно вы имеете в виду?
ask-option = { $product }, { $group }: что выберете?
ask-other-half = { $product }: а какая вторая половина?
ask-fulfilment = Самовывоз или доставка? Или скажите, что ещё вы хотите.
ask-address = Куда привезти? Напишите, пожалуйста, улицу, дом и индекс.
ask-postcode = Какой там индекс или район? Тогда я увижу, доставляем ли мы туда.
ask-name = На какое имя записать?
ask-anything = Что хотите заказать?
outside-zone = К сожалению, туда мы не доставляем. Будем рады, если заберёте сами, — или напишите другой адрес.
pickup-only = Доставки у нас нет, но будем рады, если заберёте сами.
below-minimum = Доставка ({ $zone }) — при заказе от { $minimum }; не хватает ещё { $short }. Добавьте что-нибудь или заберите сами.
free-delivery-hint = Ещё { $short } — и доставка бесплатная.
unmatched = Не получилось найти у нас { $pieces }.
unmatched-near = Не получилось найти у нас { $pieces }. Самое похожее из того, что есть: { $near }.
near-ask-one = Вы это имели в виду?
near-ask-several = Может быть, что-то из этого?
near-no = Хорошо, не добавляю.
doubt = Я правильно понял: { $lines }?
doubt-cart = Тогда ваш заказ такой: { $lines }. Я правильно понял?
doubt-empty = Очистить ваш заказ?
say-otherwise = Хорошо, я ничего не менял. Скажите, пожалуйста, другими словами.
undone = Хорошо, вернул, как было:
undo-none = Отменять пока нечего.
pause = Не торопитесь, я подожду.
pause-readback = Не торопитесь: без вашего «да» я ничего не оформлю.
pause-placed = Заказ № { $number } уже у нас. Чтобы отменить его, напишите «отмените заказ», а если дело в другом, «человек».
shop-changed = Магазин изменил ваш заказ:
wish-noted = Передам это вместе с заказом: { $wishes }
unavailable = К сожалению, сейчас распродано: { $product }.
option-unavailable = К сожалению, сейчас закончилось: { $option }.
option-not-for = { $product } и { $option } — такого сочетания у нас, к сожалению, нет.
too-many-options = { $product }, { $group }: можно выбрать не больше { $max }.
too-many = { $quantity } × { $product } — это больше, чем мне можно принять без сотрудника. Я уже спросил сотрудника; то, что есть в заказе, пока остаётся как есть.
too-many-items = Это больше, чем мне можно принять без сотрудника. Я уже спросил сотрудника; то, что есть в заказе, пока остаётся как есть.
usual-none = Прошлых заказов от вас у меня пока нет. Что вы хотите?
usual-added = То же, что в прошлый раз:
usual-price = { $product }: теперь { $now } (раньше { $before }).
usual-gone = Этого у нас больше нет, поэтому в заказ не вошло: { $product }.

## Reading back and placing

readback-head = Проверьте, пожалуйста, ваш заказ:
readback-pickup = Самовывоз, на имя: { $name }
readback-delivery = Доставка по адресу: { $address }, на имя: { $name }
readback-note = Пожелание: { $wishes }
readback-closed = Сейчас мы закрыты, откроемся { $opening }; до этого времени ваш заказ нас подождёт.
readback-ask = Оформляем?
readback-changed = С тех пор кое-что изменилось, взгляните, пожалуйста, ещё раз:
readback-again = Я оформляю только то, что вы видели только что, поэтому вот ваш заказ на сейчас:
not-placed = Хорошо, я ничего не оформил. Что поменять?
placed = Спасибо, { $name }! Номер вашего заказа — { $number }, сумма — { $total }. Сообщу, как только заказ у нас примут.
placed-closed = Спасибо, { $name }! Номер вашего заказа — { $number }, сумма — { $total }. Мы откроемся { $opening }; сообщу, как только заказ у нас примут.
placed-already = Заказ № { $number } уже оформлен, одного раза достаточно.
button-stale = Эта кнопка из прошлого сообщения. Скажите, что вы хотите сейчас.
nothing-to-place = В вашем заказе пока ничего нет. Что вы хотите?
nothing-to-confirm = Сейчас я не жду ни «да», ни «нет». Чем могу помочь?

## News of an order

order-accepted-pickup = Заказ № { $number } принят. Будет готов для вас примерно в { $time }.
order-accepted-delivery = Заказ № { $number } принят. Будет у вас примерно в { $time }.
order-declined = К сожалению, мы не можем принять заказ № { $number }: { $reason }
order-ready-pickup = Заказ № { $number } готов. Можно забирать!
order-ready-delivery = Заказ № { $number } готов и скоро отправится.
order-out = Заказ № { $number } уже едет к вам.
order-delivered-pickup = Заказ № { $number } выдан. Пусть будет в радость, спасибо!
order-delivered-delivery = Заказ № { $number } доставлен. Пусть будет в радость, спасибо!
order-cancelled = Заказ № { $number } отменён.
order-cancel-late = Заказ № { $number } на кухне уже начали готовить, поэтому сам я его остановить не могу. Я спросил сотрудника.
order-cancel-none = Не вижу заказа, который можно отменить.
order-change-late = Сам я изменить заказ № { $number } уже не могу. Я спросил сотрудника.
status-none = Не вижу заказов в работе. Хотите что-нибудь заказать?
status-placed = Заказ № { $number } у нас с { $since }, но его ещё не приняли. Сообщу, как только примут.
status-placed-closed = Заказ № { $number } ждёт, когда мы откроемся { $opening }.
status-accepted-pickup = Заказ № { $number } готовится; он должен быть готов примерно в { $time }.
status-accepted-delivery = Заказ № { $number } готовится; он должен быть у вас примерно в { $time }.
status-late = Выходит позже, чем мы говорили, простите. Я спросил сотрудников.
status-ready-pickup = Заказ № { $number } готов и ждёт вас с { $since }.
status-ready-delivery = Заказ № { $number } готов с { $since } и скоро отправится.
status-out = Заказ № { $number } в пути с { $since }.
status-delivered = Заказ № { $number } завершён в { $since }.
status-declined = Заказ № { $number } у нас не смогли принять: { $reason }
status-cancelled = Заказ № { $number } отменён.

## Questions

hours-open = Мы сейчас открыты, до { $until }.
hours-always = Мы открыты всегда.
hours-closed = Сейчас мы закрыты, снова откроемся { $opening }.
hours-closed-long = Сейчас мы закрыты.
hours-day = { $day }: { $periods }
hours-day-closed = { $day }: закрыто
price-of = { $product }: { $price }
price-option = { $option }: +{ $price }
price-of-dearest = { $product }: цена как у более дорогой половины.
price-of-dearest-plus = { $product }: цена как у более дорогой половины плюс { $price }.
price-of-average = { $product }: половина цены каждой из двух.
price-of-average-plus = { $product }: половина цены каждой из двух плюс { $price }.
allergens = { $product } — по нашим записям, в составе есть: { $allergens }.
allergens-none = { $product } — в наших записях аллергены не указаны.
allergens-unknown = { $product } — записей об аллергенах у нас нет.
allergens-person = Если для вас важна аллергия, напишите, пожалуйста, «человек» — и вам ответит сотрудник.
allergen-celery = сельдерей
allergen-crustaceans = ракообразные
allergen-egg = яйцо
allergen-fish = рыба
allergen-gluten = глютен
allergen-lupin = люпин
allergen-milk = молоко
allergen-molluscs = моллюски
allergen-mustard = горчица
allergen-nuts = орехи
allergen-peanuts = арахис
allergen-sesame = кунжут
allergen-soy = соя
allergen-sulphites = сульфиты
delivery-head = Мы доставляем сюда:
delivery-zone = { $zone }: { $fee }, при заказе от { $minimum }
delivery-zone-free = { $zone }: { $fee }, при заказе от { $minimum }; бесплатно от { $free }
delivery-zone-nominimum = { $zone }: { $fee }
stop-offers = Готово: никакой рекламы от нас. О ваших заказах мы по-прежнему будем писать.
start-offers = С удовольствием: иногда мы можем написать вам об акции. Когда надоест, напишите «без рекламы».

## A person

calling-person = Я позвал сотрудника. Вам ответят прямо здесь; можете писать дальше.
calling-person-closed = Я позвал сотрудника. Сейчас мы закрыты, откроемся { $opening }; тогда вам и ответят прямо здесь.
calling-still = Сотрудника уже позвали, вам ответят прямо здесь.
calling-unknown = Этого я не знаю, поэтому спросил сотрудника. Вам ответят прямо здесь.
calling-slip = Простите, никак не пойму. Я позвал сотрудника, ему видна вся наша переписка.
calling-rest = Насчёт остального я позвал сотрудника. Вам ответят прямо здесь.
complaint = Простите, так быть не должно. Я попросил сотрудника сейчас же посмотреть, что случилось. Вам ответят прямо здесь.
my-data = Это ваше право. Я позвал сотрудника; вам ответят прямо здесь.
not-understood = Простите, не понял. Просто напишите, что вы хотите, например «{ $example }», или «человек», чтобы позвать сотрудника.
not-understood-ask = Простите, не понял.
staff-joined = Теперь здесь { $name } из нашей команды.
staff-left = { $name } передаёт разговор мне, помощнику. Чем ещё могу помочь?
wordless-voice = Голосовые я слушать не умею. Я попросил сотрудника послушать — или напишите мне, если можете.
wordless-picture = Картинки я смотреть не умею. Я попросил сотрудника взглянуть.
wordless-sticker = Здорово! Скажите словами, что вы хотите, и я всё сделаю.
wordless-location = Точку на карте я пока читать не умею. Напишите, пожалуйста, адрес: улицу, дом и индекс.
wordless-contact = С карточками контактов я работать не умею. Напишите мне, пожалуйста, что вам нужно.
wordless-file = Файлы я открывать не умею. Я попросил сотрудника взглянуть.
wordless-edit = Вижу, вы изменили прошлое сообщение, но я слежу только за новыми. Напишите, пожалуйста, ещё раз.
wordless-other = Такие сообщения я читать не умею. Напишите мне, пожалуйста, словами.
too-long = Это для меня слишком длинно, хорошо прочитать не получилось. Пришлите, пожалуйста, несколькими сообщениями покороче.

## Buttons

button-yes = Да, оформляем
button-right = Да, верно
button-wrong = Нет
button-change = Изменить
button-pickup = Самовывоз
button-delivery = Доставка
button-menu = Меню
button-person = Живой человек
button-usual = Как обычно

### What the shop says to its customers. One key a sentence; the same promise in every language.
### Short and warm, as a friendly person behind the counter writes. Never a price, time or promise of its own:
### amounts, times and names come in as variables.

## How amounts, times and days are written

# What the language calls itself
language-name = Bahasa Indonesia
quoted = “{ $words }”
money = { $symbol }{ $amount }
decimal-mark = ,
thousands-mark = .
time = { $hour }:{ $minute }
day-today = hari ini
day-tomorrow = besok
day-0 = Senin
day-1 = Selasa
day-2 = Rabu
day-3 = Kamis
day-4 = Jumat
day-5 = Sabtu
day-6 = Minggu
# "tomorrow at 16:30", "Monday at 11:00"; $day is one of the above
day-and-time = { $day } pukul { $time }
# One period of opening hours
period = { $from }–{ $to }

## Lines of an order

line = { $quantity } × { $product }
option-without = tanpa { $option }
option-extra = ekstra { $option }
option-light = sedikit { $option }
option-no-extra = tanpa ekstra { $option }
option-count = { $count } × { $option }
option-on-half = { $option } di bagian { $half }
line-sum = { $line } – { $sum }
sum-delivery = Ongkir – { $sum }
sum-delivery-free = Ongkir – gratis
sum-total = Total: { $sum }

## Greeting, menu, help

greeting = Halo, ini { $shop }! Saya asisten di sini. Tulis saja mau pesan apa, misalnya “{ $example }”.
greeting-known = Halo { $name }, senang bertemu lagi di { $shop }! Mau pesan apa?
greeting-usual = Mau sama seperti terakhir kali ({ $lines })? Tulis saja “seperti biasa”.
greeting-help = Tulis “menu” untuk melihat daftarnya, atau “orang” dan staf kami akan menjawab.
greeting-cart = Isi pesanan sejauh ini:
menu-head = Ini yang kami punya:
menu-pick = Pilihannya banyak. Mau lihat yang mana?
menu-more = … dan masih ada lagi. Tanya saja kalau mencari sesuatu.
menu-foot = Tulis saja mau pesan apa.
sold-out-mark = habis hari ini
from-price = mulai { $price }
thanks = Sama-sama!
emoji-only = Wah, terima kasih! Mau pesan apa? Tulis saja, atau tulis “menu”.
languages = Saya bisa bahasa-bahasa ini. Lebih suka yang mana?
language-set = Baik, kita lanjut dalam bahasa Indonesia.
example = dua { $product }, satu tanpa { $option }
example-plain = dua { $product }

## Filling an order

cart-added = Ditambahkan: { $line }
cart-removed = Dihapus: { $line }
cart-changed = Diubah: { $from } → { $to }
cart-quantity = { $line }, menggantikan { $from }
cart-emptied = Baik, pesanannya kosong lagi.
cart-so-far = Sejauh ini: { $total }
cart-same = Sudah tercatat seperti itu.
ask-which = Maksudnya yang mana?
ask-which-option = Untuk { $product }, maksudnya { $group } yang mana?
ask-option = Untuk { $product }, mau { $group } yang mana?
ask-other-half = Untuk { $product }, paruh satunya lagi apa?
ask-fulfilment = Ambil sendiri atau diantar? Atau tulis saja kalau mau tambah yang lain.
ask-address = Mau diantar ke mana? Tolong tulis jalan, nomor, dan kode pos.
ask-postcode = Kode posnya berapa, atau daerah mana? Nanti saya lihat apakah kami bisa mengantar ke sana.
ask-name = Atas nama siapa?
ask-anything = Mau pesan apa?
outside-zone = Maaf, kami tidak mengantar ke sana. Silakan ambil sendiri – atau beri saya alamat lain.
pickup-only = Kami tidak melayani antar, tapi silakan ambil sendiri.
below-minimum = Untuk diantar ke { $zone }, minimal pesanan { $minimum }; kurang { $short } lagi. Tambah sesuatu, atau ambil sendiri.
free-delivery-hint = Tambah { $short } lagi, ongkirnya gratis.
unmatched = Saya tidak menemukan { $pieces } di tempat kami.
unmatched-near = Saya tidak menemukan { $pieces } di tempat kami. Yang paling mirip: { $near }.
near-ask-one = Apakah itu maksudnya?
near-ask-several = Apakah maksudnya salah satu dari ini?
near-no = Baik, tidak saya tambahkan.
doubt = Maksudnya begini: { $lines }?
doubt-cart = Pesanan Anda jadi begini: { $lines }. Sudah benar?
doubt-empty = Kosongkan pesanan Anda?
say-otherwise = Baik, tidak ada yang saya ubah. Coba tulis dengan kata lain, ya.
undone = Baik, kembali seperti sebelumnya:
undo-none = Tidak ada yang bisa saya kembalikan.
pause = Santai saja, saya tunggu.
pause-readback = Santai saja: tidak ada yang dipesan sebelum Anda bilang ya.
pause-placed = Pesanan nomor { $number } sudah kami terima. Untuk membatalkannya, tulis “batalkan pesanan”; untuk hal lain, tulis “orang”.
shop-changed = Toko mengubah pesanan Anda:
wish-noted = Saya sampaikan ini bersama pesanannya: { $wishes }
unavailable = Maaf, { $product } sedang habis.
option-unavailable = Maaf, { $option } sedang habis.
option-not-for = Di tempat kami, { $product } tidak bisa dengan { $option }.
too-many-options = Untuk { $product }, { $group } paling banyak { $max }.
too-many = { $quantity } × { $product } lebih dari yang boleh saya terima sendiri. Saya sudah bertanya ke staf kami; pesanan sejauh ini tetap seperti adanya.
too-many-items = Itu lebih dari yang boleh saya terima sendiri. Saya sudah bertanya ke staf kami; pesanan sejauh ini tetap seperti adanya.
usual-none = Belum ada catatan pesanan sebelumnya. Mau pesan apa?
usual-added = Sama seperti terakhir kali:
usual-price = { $product } sekarang { $now } (sebelumnya { $before }).
usual-gone = { $product } sudah tidak tersedia, jadi tidak saya masukkan.

## Reading back and placing

readback-head = Tolong cek pesanannya:
readback-pickup = Ambil sendiri, atas nama { $name }
readback-delivery = Diantar ke { $address }, atas nama { $name }
readback-note = Catatan: { $wishes }
readback-closed = Kami sedang tutup dan buka { $opening }; pesanannya menunggu kami sampai saat itu.
readback-ask = Saya pesankan?
readback-changed = Ada yang berubah sejak tadi, jadi tolong cek lagi:
readback-again = Saya hanya memesankan yang baru saja Anda lihat, jadi ini pesanannya seperti sekarang:
not-placed = Baik, belum ada yang saya pesankan. Apa yang mau diubah?
placed = Terima kasih, { $name }! Pesanannya nomor { $number }, { $total }. Saya kabari begitu pesanan diterima staf kami.
placed-closed = Terima kasih, { $name }! Pesanannya nomor { $number }, { $total }. Kami buka { $opening }; saya kabari begitu pesanan diterima staf kami.
placed-already = Nomor { $number } sudah dipesan; sekali saja cukup.
button-stale = Tombol itu dari pesan sebelumnya. Tulis saja sekarang mau apa.
nothing-to-place = Pesanannya masih kosong. Mau pesan apa?
nothing-to-confirm = Saat ini saya tidak sedang menunggu jawaban ya atau tidak. Ada yang bisa saya bantu?

## News of an order

order-accepted-pickup = Pesanan nomor { $number } diterima. Siap diambil sekitar pukul { $time }.
order-accepted-delivery = Pesanan nomor { $number } diterima. Akan sampai sekitar pukul { $time }.
order-declined = Maaf, kami tidak bisa menerima pesanan nomor { $number }: { $reason }
order-ready-pickup = Pesanan nomor { $number } sudah siap. Silakan diambil!
order-ready-delivery = Pesanan nomor { $number } sudah siap dan segera berangkat.
order-out = Pesanan nomor { $number } sedang dalam perjalanan ke tempat Anda.
order-delivered-pickup = Pesanan nomor { $number } sudah diambil. Selamat menikmati, dan terima kasih!
order-delivered-delivery = Pesanan nomor { $number } sudah diantar. Selamat menikmati, dan terima kasih!
order-cancelled = Pesanan nomor { $number } dibatalkan.
order-cancel-late = Dapur sudah mulai mengerjakan pesanan nomor { $number }, jadi saya tidak bisa menghentikannya sendiri. Saya sudah bertanya ke staf kami.
order-cancel-none = Saya tidak melihat pesanan yang bisa dibatalkan.
order-change-late = Saya sudah tidak bisa mengubah pesanan nomor { $number } sendiri. Saya sudah bertanya ke staf kami.
status-none = Saya tidak melihat pesanan yang sedang berjalan. Mau pesan sesuatu?
status-placed = Pesanan nomor { $number } sudah masuk ke kami sejak { $since }, tapi belum diterima staf kami. Saya kabari begitu diterima.
status-placed-closed = Pesanan nomor { $number } menunggu kami buka { $opening }.
status-accepted-pickup = Pesanan nomor { $number } sedang dibuat; seharusnya siap sekitar pukul { $time }.
status-accepted-delivery = Pesanan nomor { $number } sedang dibuat; seharusnya sampai sekitar pukul { $time }.
status-late = Ini lebih lama dari yang kami bilang, mohon maaf. Saya sudah bertanya ke staf kami.
status-ready-pickup = Pesanan nomor { $number } sudah siap diambil sejak { $since }.
status-ready-delivery = Pesanan nomor { $number } sudah siap sejak { $since } dan segera berangkat.
status-out = Pesanan nomor { $number } dalam perjalanan sejak { $since }.
status-delivered = Pesanan nomor { $number } selesai pukul { $since }.
status-declined = Pesanan nomor { $number } tidak bisa kami terima: { $reason }
status-cancelled = Pesanan nomor { $number } dibatalkan.

## Questions

hours-open = Kami sedang buka, sampai { $until }.
hours-always = Kami selalu buka.
hours-closed = Kami sedang tutup dan buka lagi { $opening }.
hours-closed-long = Kami sedang tutup untuk saat ini.
hours-day = { $day }: { $periods }
hours-day-closed = { $day }: tutup
price-of = { $product }: { $price }
price-option = { $option }: +{ $price }
price-of-dearest = Harga { $product } mengikuti paruh yang lebih mahal.
price-of-dearest-plus = Harga { $product } mengikuti paruh yang lebih mahal, ditambah { $price }.
price-of-average = Harga { $product } adalah setengah dari harga masing-masing.
price-of-average-plus = Harga { $product } adalah setengah dari harga masing-masing, ditambah { $price }.
allergens = Menurut catatan kami, { $product } mengandung: { $allergens }.
allergens-none = Catatan kami tidak menyebutkan alergen untuk { $product }.
allergens-unknown = Kami tidak punya catatan alergen untuk { $product }.
allergens-person = Kalau soal alergi ini penting, tolong tulis “orang” dan staf kami akan menjawab.
allergen-celery = seledri
allergen-crustaceans = krustasea
allergen-egg = telur
allergen-fish = ikan
allergen-gluten = gluten
allergen-lupin = lupin
allergen-milk = susu
allergen-molluscs = moluska
allergen-mustard = mustard
allergen-nuts = kacang pohon
allergen-peanuts = kacang tanah
allergen-sesame = wijen
allergen-soy = kedelai
allergen-sulphites = sulfit
delivery-head = Kami mengantar ke:
delivery-zone = { $zone }: { $fee }, minimal pesanan { $minimum }
delivery-zone-free = { $zone }: { $fee }, minimal pesanan { $minimum }; gratis mulai { $free }
delivery-zone-nominimum = { $zone }: { $fee }
stop-offers = Beres: tidak ada promo lagi dari kami. Kabar soal pesanan tetap kami kirim.
start-offers = Dengan senang hati: sesekali mungkin ada kabar promo dari kami. Tulis “tanpa promo” kapan saja kalau sudah cukup.

## A person

calling-person = Saya sudah memanggil staf kami. Mereka menjawab di sini; silakan lanjut menulis.
calling-person-closed = Saya sudah memanggil staf kami. Kami sedang tutup dan buka { $opening }; saat itu mereka menjawab di sini.
calling-still = Staf kami sudah dipanggil dan akan menjawab di sini.
calling-unknown = Saya tidak tahu soal itu, jadi saya sudah bertanya ke staf kami. Mereka menjawab di sini.
calling-slip = Maaf, saya belum paham. Saya sudah memanggil staf kami, yang bisa melihat semua percakapan kita.
calling-rest = Untuk sisanya saya sudah memanggil staf kami. Mereka menjawab di sini.
complaint = Mohon maaf, seharusnya tidak begitu. Saya sudah meminta staf kami untuk mengeceknya sekarang. Mereka menjawab di sini.
my-data = Itu hak Anda. Saya sudah memanggil staf kami; mereka menjawab di sini.
not-understood = Maaf, saya kurang paham. Tulis saja mau pesan apa, misalnya “{ $example }”, atau “orang” untuk bicara dengan staf kami.
not-understood-ask = Maaf, saya kurang paham.
staff-joined = { $name } dari staf kami sekarang ada di sini.
staff-left = { $name } sudah menyerahkan obrolan ke saya, si asisten. Ada lagi yang bisa saya bantu?
wordless-voice = Saya tidak bisa mendengarkan pesan suara. Saya sudah meminta staf kami mendengarkannya – atau tulis saja ke saya, kalau bisa.
wordless-picture = Saya tidak bisa melihat gambar. Saya sudah meminta staf kami melihatnya.
wordless-sticker = Seru! Tulis dengan kata-kata mau apa, nanti saya urus.
wordless-location = Saya belum bisa membaca titik peta. Tolong tulis alamatnya: jalan, nomor, dan kode pos.
wordless-contact = Saya tidak bisa memakai kartu kontak. Tolong tulis ke saya apa yang dibutuhkan.
wordless-file = Saya tidak bisa membuka file. Saya sudah meminta staf kami melihatnya.
wordless-edit = Saya lihat pesan sebelumnya diubah, tapi saya hanya mengikuti pesan baru. Tolong tulis sekali lagi.
wordless-other = Saya tidak bisa membaca pesan seperti itu. Tolong tulis dengan kata-kata.
too-long = Pesannya terlalu panjang untuk saya baca dengan baik. Tolong kirim dalam beberapa pesan yang lebih pendek.

## Buttons

button-yes = Ya, pesankan
button-right = Ya, benar
button-wrong = Tidak
button-change = Ubah sesuatu
button-pickup = Ambil sendiri
button-delivery = Diantar
button-menu = Menu
button-person = Bicara dengan orang
button-usual = Seperti biasa

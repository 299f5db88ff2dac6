//! `usual move` compares what arrived with what was sent, and the comparison can fail: here the target changes rows by
//! itself while they come in, so that a value is another, a row is missing or one is too many. Each is told by its
//! table, and nothing is kept.

use theusual::{
    channel::Outgoing,
    customer::Customer,
    id::{ConversationId, CustomerId, MerchantId},
    moment::Moment,
    store::{
        Author, NewMessage, Store,
        transfer::{MoveError, transfer},
    },
};

use self::support::place::Place;

mod support;

/// Messages of the shop that is moved.
const MESSAGES: i64 = 5;

/// What a target does by itself.
struct Harm {
    /// What is told of it.
    told: &'static str,
    /// The table whose new rows it happens to, when, and what.
    triggers: &'static [(&'static str, &'static str, &'static str)],
}

const CHANGED: (&str, &str, &str) =
    ("customer", "new.name = 'Marta'", "UPDATE customer SET name = 'marta' WHERE customer_id = new.customer_id");

const LOST: (&str, &str, &str) = ("message", "new.seq = 3", "DELETE FROM message WHERE seq = 3");

const STRAY: (&str, &str, &str) = (
    "message",
    "new.seq = 1",
    "INSERT INTO keepsake (merchant_id, name, value) VALUES (new.merchant_id, 'stray', 'a value')",
);

/// One row goes and another comes: there are as many as there were.
const SWAPPED: (&str, &str, &str) =
    ("message", "new.seq = 5", "UPDATE message SET seq = 6 WHERE merchant_id = new.merchant_id AND seq = 5");

const HARMS: [Harm; 5] = [
    Harm { told: "customer", triggers: &[CHANGED] },
    Harm { told: "message (5 rows sent, 4 arrived)", triggers: &[LOST] },
    Harm { told: "keepsake (0 rows sent, 1 arrived)", triggers: &[STRAY] },
    Harm { told: "message", triggers: &[SWAPPED] },
    Harm {
        told: "customer, keepsake (0 rows sent, 1 arrived), message (5 rows sent, 4 arrived)",
        triggers: &[CHANGED, LOST, STRAY, SWAPPED],
    },
];

/// A shop with two customers and a few messages.
async fn shop(place: &Place) {
    let merchant: MerchantId = "pizzeria".parse().unwrap();
    let store = Store::open(&place.address()).await.unwrap();
    store.import(&merchant, "{}", "{}", Moment(0)).await.unwrap();
    let mut tx = store.begin().await.unwrap();
    for (id, name) in [(1, "Marta"), (2, "Nina")] {
        let name = Some(name.to_owned());
        let customer = Customer { id: CustomerId(id), name, language: None, address: None, offers: None };
        tx.save_customer(&merchant, &customer, true, Moment(1)).await.unwrap();
    }
    let what = Outgoing { text: "2 margherita".to_owned(), buttons: Vec::new() };
    for seq in 1..=MESSAGES {
        let message = NewMessage { author: Author::Bot, by_name: None, kind: "text", what: &what, at: Moment(seq) };
        tx.say(&merchant, ConversationId(1), seq, &message).await.unwrap();
    }
    tx.commit().await.unwrap();
    store.close().await;
}

/// Has a database do that to rows that come in.
async fn harm(place: &Place, triggers: &[(&str, &str, &str)]) {
    for (at, (table, when, what)) in triggers.iter().enumerate() {
        if place.shared() {
            let made = format!(
                "CREATE FUNCTION harm{at}() RETURNS trigger LANGUAGE plpgsql AS \
                 $$ BEGIN {what}; RETURN NULL; END $$"
            );
            place.run(&made, &[]).await;
            let made = format!(
                "CREATE TRIGGER harm{at} AFTER INSERT ON {table} FOR EACH ROW WHEN ({when}) EXECUTE FUNCTION harm{at}()"
            );
            place.run(&made, &[]).await;
        } else {
            let made =
                format!("CREATE TRIGGER harm{at} AFTER INSERT ON {table} FOR EACH ROW WHEN {when} BEGIN {what}; END");
            place.run(&made, &[]).await;
        }
    }
}

/// Rows of the tables that anything happens to.
async fn rows(place: &Place) -> Vec<i64> {
    let sql = "SELECT count(*) FROM customer UNION ALL SELECT count(*) FROM message \
               UNION ALL SELECT count(*) FROM keepsake UNION ALL SELECT count(*) FROM merchant";
    place.numbers(sql).await
}

#[tokio::test]
async fn a_copy_that_differs_is_told_by_its_tables_and_not_kept() {
    let (file, server) = (Place::in_file(), Place::on_server().await);
    shop(&file).await;
    let sent = transfer(&file.address(), &server.address()).await.unwrap();
    for (from, to_server) in [(&file, true), (&server, false)] {
        for one in &HARMS {
            let to = if to_server { Place::on_server().await } else { Place::in_file() };
            Store::open(&to.address()).await.unwrap().close().await;
            harm(&to, one.triggers).await;
            let refused = transfer(&from.address(), &to.address()).await.unwrap_err();
            assert!(matches!(refused, MoveError::Differs(_)), "{}: {refused}", one.told);
            let told = format!("the copy differs from the original in {}; nothing was kept", one.told);
            assert_eq!(refused.to_string(), told, "to a server: {to_server}");
            assert_eq!(rows(&to).await, [0, 0, 0, 0], "nothing is kept");
            assert_eq!(rows(from).await, [2, MESSAGES, 0, 1], "the source is left as it was");
        }
        // The same without any harm.
        let to = if to_server { Place::on_server().await } else { Place::in_file() };
        assert_eq!(transfer(&from.address(), &to.address()).await.unwrap(), sent);
        assert_eq!(rows(&to).await, [2, MESSAGES, 0, 1]);
    }
}

//! Who sends requests to a program's pages: a visitor of the chat, a member of the staff, or nobody that it knows.

use reqwest::{
    Client, RequestBuilder, Response, StatusCode,
    header::{HeaderMap, SET_COOKIE},
    redirect,
};
use serde_json::{Value, json};

use super::shop::Program;

pub const STAFF: &str = "Counter";
pub const PASSWORD: &str = "oven mitten seven";

/// What a customer says who wants to be known to nobody but the shop.
pub const CANARIES: [&str; 4] = ["2 margherita", "deliver to Canary Wharf Street 5, 0155", "Zaphodine", "yes"];

/// Who sends requests, with one cookie.
pub struct Sender {
    client: Client,
    pub base: String,
    pub cookie: String,
}

impl Sender {
    pub fn new(program: &Program) -> Sender {
        Sender::at(&program.address(""))
    }

    /// Who asks at an address that ends without a slash.
    pub fn at(base: &str) -> Sender {
        let client = Client::builder().redirect(redirect::Policy::none()).build().unwrap();
        Sender { client, base: base.to_owned(), cookie: String::new() }
    }

    /// Somebody who has just opened the chat.
    pub async fn visitor(program: &Program) -> Sender {
        Sender::visitor_at(&program.address("")).await
    }

    /// The same, at an address that ends without a slash.
    pub async fn visitor_at(base: &str) -> Sender {
        let mut sender = Sender::at(base);
        let page = sender.get("/").send().await.unwrap();
        sender.cookie = cookie_of(page.headers());
        sender
    }

    /// The first member of the staff.
    pub async fn staff(program: &Program) -> Sender {
        Sender::staff_named(program, STAFF, PASSWORD).await
    }

    /// The first member of the staff, of that name and with that password.
    pub async fn staff_named(program: &Program, name: &str, password: &str) -> Sender {
        let mut sender = Sender::new(program);
        let answer = sender.welcome(program.welcome.as_deref().unwrap(), name, password).await;
        assert_eq!(answer.status(), StatusCode::SEE_OTHER);
        sender.cookie = cookie_of(answer.headers());
        sender
    }

    pub fn get(&self, path: &str) -> RequestBuilder {
        self.client.get(format!("{}{path}", self.base)).header("cookie", &self.cookie)
    }

    /// A form of a page of our own.
    pub fn form(&self, path: &str, fields: &[(&str, &str)]) -> RequestBuilder {
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        self.post(path).header("origin", &self.base).body(body)
    }

    /// A form that does not say where it came from.
    pub fn post(&self, path: &str) -> RequestBuilder {
        let address = format!("{}{path}", self.base);
        let kind = "application/x-www-form-urlencoded";
        self.client.post(address).header("cookie", &self.cookie).header("content-type", kind)
    }

    pub async fn welcome(&self, link: &str, name: &str, password: &str) -> Response {
        let key = link.split_once("key=").unwrap().1;
        self.form("/console/welcome", &[("key", key), ("name", name), ("password", password)]).send().await.unwrap()
    }

    pub async fn login(&self, name: &str, password: &str) -> Response {
        self.form("/console/login", &[("name", name), ("password", password)]).send().await.unwrap()
    }

    /// A message of the chat page.
    pub async fn message(&self, body: Value) -> Response {
        let address = format!("{}/chat/pizzeria/messages", self.base);
        let request = self.client.post(address).header("cookie", &self.cookie).header("origin", &self.base);
        request.header("content-type", "application/json").body(body.to_string()).send().await.unwrap()
    }

    pub async fn say(&self, text: &str) -> Response {
        self.message(json!({ "id": new_id(), "text": text })).await
    }
}

/// Says it all on the shop's page, as a new visitor.
pub async fn sing(base: &str) {
    let visitor = Sender::visitor_at(base).await;
    for text in CANARIES {
        assert_eq!(visitor.say(text).await.status(), StatusCode::OK, "{text}");
    }
}

pub fn new_id() -> String {
    uuid::Uuid::now_v7().to_string()
}

pub fn cookie_of(headers: &HeaderMap) -> String {
    headers[SET_COOKIE].to_str().unwrap().split(';').next().unwrap().to_owned()
}

//! `usual chat`: the conversation in a terminal. It talks to the same database as the server, if one is running, and to
//! the same shop; without a server it is one by itself. It ends at the end of its input, after the last answer.

use std::{io::Write as _, time::Duration};

use anyhow::Context as _;
use tokio::io::{AsyncBufReadExt as _, BufReader};

use super::{demo, settings::Settings};
use crate::{
    channel::{Arrival, ChannelKind, Content, Inbox as _, Peer},
    id::{ConversationId, MerchantId},
    store::{Author, Store},
    work::{Habits, Work, new_id, now},
};

/// How often words from elsewhere (staff, in the server's console) are looked for.
const LOOK: Duration = Duration::from_millis(250);

/// Holds the conversation until the end of the input.
pub async fn run(settings: &Settings, merchant: Option<MerchantId>, who: &str) -> anyhow::Result<()> {
    let store = Store::open(&settings.database_url).await?;
    demo::open_where_empty(&store, now()).await?;
    let habits = Habits { gather: settings.gather };
    let work = Work::start(store, habits, Vec::new()).await?;
    let shop = match merchant {
        Some(id) => work.shop(&id).with_context(|| format!("there is no shop {id}"))?,
        None => work.first_shop().context("the database has no shop; import one with `usual catalog import`")?,
    };
    let peer = Peer::new(who).context("a name of 1 to 160 bytes is needed")?;
    let mut chat = Chat { work: work.clone(), merchant: shop.id.clone(), peer, shown: 0 };
    chat.skip_history().await?;
    println!("{} – write as you would in a messenger; end with Ctrl-D.", shop.catalog.merchant);
    chat.deliver(Content::Opened(None)).await?;
    chat.show().await?;
    let mut input = BufReader::new(tokio::io::stdin());
    let mut line = Vec::new();
    loop {
        tokio::select! {
            // What is read before another branch wins stays in `line`.
            read = input.read_until(b'\n', &mut line) => {
                if read.context("the input can't be read")? == 0 {
                    break;
                }
                let words = String::from_utf8_lossy(&std::mem::take(&mut line)).into_owned();
                if let Some(content) = Content::words(&words) {
                    chat.deliver(content).await?;
                    chat.show().await?;
                }
            }
            () = tokio::time::sleep(LOOK) => chat.show().await?,
        }
    }
    // The last words may wait for their other half.
    tokio::time::sleep(settings.gather.to_duration() + LOOK).await;
    work.settled().await;
    chat.show().await?;
    work.close().await;
    Ok(())
}

struct Chat {
    work: Work,
    merchant: MerchantId,
    peer: Peer,
    shown: i64,
}

impl Chat {
    async fn conversation(&self) -> anyhow::Result<Option<ConversationId>> {
        Ok(self.work.store().conversation_with(&self.merchant, ChannelKind::Terminal, &self.peer).await?)
    }

    async fn skip_history(&mut self) -> anyhow::Result<()> {
        if let Some(id) = self.conversation().await? {
            let messages = self.work.store().messages(&self.merchant, id, 0).await?;
            self.shown = messages.last().map_or(0, |message| message.seq);
        }
        Ok(())
    }

    async fn deliver(&self, content: Content) -> anyhow::Result<()> {
        let arrival = Arrival {
            merchant: self.merchant.clone(),
            channel: ChannelKind::Terminal,
            foreign_id: format!("{:032x}", new_id()),
            peer: self.peer.clone(),
            name: None,
            language: None,
            at: now(),
            content,
            raw: String::new(),
        };
        self.work.deliver(arrival).await.map_err(|_| anyhow::anyhow!("the message could not be stored; see the log"))
    }

    /// Prints what was said to the customer since the last look.
    async fn show(&mut self) -> anyhow::Result<()> {
        let Some(id) = self.conversation().await? else { return Ok(()) };
        let mut out = std::io::stdout().lock();
        for message in self.work.store().messages(&self.merchant, id, self.shown).await? {
            self.shown = message.seq;
            let who = match (message.author, message.by_name) {
                (Author::Customer | Author::Note, _) => continue,
                (Author::Staff, Some(name)) => name,
                (Author::Staff | Author::Bot, _) => "shop".to_owned(),
            };
            let text = message.body.replace('\n', "\n      ");
            writeln!(out, "{who}> {text}").context("the terminal is gone")?;
        }
        out.flush().context("the terminal is gone")
    }
}

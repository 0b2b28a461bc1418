//! Documents that publish the items, as JSON Feed and as RSS.

use serde_json::json;

use super::titles::Item;

/// In JSON every character can be written, and a text is nothing but a text.
pub(crate) fn json_feed(title: &str, items: &[Item]) -> String {
    let item = |item: &Item| {
        json!({
            "id": item.token,
            "url": item.link,
            "title": item.title,
            "content_text": item.text,
            "authors": [{ "name": title }],
        })
    };
    let items: Vec<_> = items.iter().map(item).collect();
    let version = "https://jsonfeed.org/version/1.1";
    let feed = json!({ "version": version, "title": title, "items": items }).to_string();
    // Halves of surrogate pairs, which no Rust text can hold.
    feed.replace("\u{fffd}", "\\ud800")
}

/// In RSS a headline is markup, and what stands here stands as text in that markup. Characters
/// that XML has no place for stand in it all the same.
pub(crate) fn rss(title: &str, items: &[Item]) -> String {
    let mut feed = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<rss version=\"2.0\"><channel>\
         <title>{}</title><link>https://news.example.org/</link><description>x</description>\n",
        twice(title)
    );
    for Item { token, title, text, link, .. } in items {
        let (title, text, link, author) = (twice(title), twice(text), escaped(link), twice(title));
        feed += &format!(
            "<item><title>{title}</title><link>{link}</link><author>{author}</author>\
             <guid isPermaLink=\"false\">{token}</guid><description>{text}</description></item>\n"
        );
    }
    feed + "</channel></rss>\n"
}

fn twice(text: &str) -> String {
    escaped(&escaped(text))
}

fn escaped(text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    text.replace('"', "&quot;")
}

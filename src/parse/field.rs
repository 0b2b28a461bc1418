//! Which elements of an item mean what, in every vocabulary.

use super::names::Ns;
use super::tree::Element;

/// What an element of an item says.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Field {
    Title,
    OtherTitle,
    Link,
    OwnPage,
    Guid,
    Summary,
    Abstract,
    OtherSummary,
    Content,
    Described,
    Published,
    Issued,
    Updated,
    Author,
    Category,
    Keywords,
    Source,
    OtherSource,
    Language,
    News,
}

/// What an element of an item means, by its vocabulary and name in any case.
pub(super) fn field(element: Element<'_, '_>) -> Option<Field> {
    let mut buffer = [0_u8; 20];
    let name = element.local().as_bytes();
    let local = buffer.get_mut(..name.len())?;
    local.copy_from_slice(name);
    local.make_ascii_lowercase();
    let local = std::str::from_utf8(local).ok()?;
    match element.ns() {
        Ns::Plain | Ns::Atom => own_field(local),
        Ns::Dc | Ns::DcTerms => dublin_core(local),
        Ns::Content => (local == "encoded").then_some(Field::Content),
        Ns::Xhtml => matches!(local, "body" | "div").then_some(Field::Content),
        Ns::Itunes => match local {
            "summary" | "subtitle" => Some(Field::OtherSummary),
            "author" => Some(Field::Author),
            "title" => Some(Field::OtherTitle),
            "keywords" => Some(Field::Keywords),
            "category" => Some(Field::Category),
            _ => None,
        },
        Ns::Media => {
            matches!(local, "group" | "content" | "description").then_some(Field::Described)
        }
        Ns::FeedBurner => (local == "origlink").then_some(Field::OwnPage),
        Ns::News => (local == "news").then_some(Field::News),
        Ns::Syndication | Ns::History | Ns::Rdf | Ns::Other => None,
    }
}

fn own_field(local: &str) -> Option<Field> {
    Some(match local {
        "title" => Field::Title,
        "link" | "loc" | "url" => Field::Link,
        "guid" | "id" => Field::Guid,
        "description" => Field::Summary,
        "summary" | "abstract" => Field::Abstract,
        "content" | "fullitem" | "body" | "encoded" => Field::Content,
        "pubdate" | "published" => Field::Published,
        "issued" | "created" | "date" => Field::Issued,
        "updated" | "modified" | "lastmod" => Field::Updated,
        "author" => Field::Author,
        "category" => Field::Category,
        "source" => Field::Source,
        "language" => Field::Language,
        _ => return None,
    })
}

fn dublin_core(local: &str) -> Option<Field> {
    Some(match local {
        "title" => Field::OtherTitle,
        "description" | "abstract" => Field::OtherSummary,
        "date" | "issued" | "created" | "available" => Field::Issued,
        "modified" => Field::Updated,
        "creator" | "author" => Field::Author,
        "subject" => Field::Category,
        "source" => Field::OtherSource,
        "language" => Field::Language,
        _ => return None,
    })
}

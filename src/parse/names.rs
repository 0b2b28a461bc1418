//! Which vocabulary an element belongs to: by the URI that its prefix is bound
//! to, else by the prefix that custom gives that vocabulary.

/// A vocabulary that feeds use. Variants of one URI are one vocabulary.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ns {
    /// RSS in all its versions, CDF, sitemaps, and no namespace at all.
    Plain,
    Atom,
    Dc,
    DcTerms,
    Content,
    Media,
    Itunes,
    Syndication,
    FeedBurner,
    News,
    History,
    Xhtml,
    Rdf,
    Other,
}

/// The vocabulary of a namespace URI.
pub(super) fn of_uri(uri: &str) -> Ns {
    let uri = uri.trim().to_ascii_lowercase();
    let uri = uri.strip_prefix("https://").or_else(|| uri.strip_prefix("http://")).unwrap_or(&uri);
    match uri.trim_end_matches(['/', '#']) {
        ""
        | "backend.userland.com/rss"
        | "backend.userland.com/rss2"
        | "backend.userland.com/rss091"
        | "backend.userland.com/rss092"
        | "blogs.law.harvard.edu/tech/rss"
        | "cyber.law.harvard.edu/rss"
        | "purl.org/rss/1.0"
        | "purl.org/rss/1.0/modules/rss091"
        | "purl.org/net/rss1.1"
        | "channel.netscape.com/rdf/simple/0.9"
        | "my.netscape.com/rdf/simple/0.9"
        | "my.netscape.com/publish/formats/rss-0.91.dtd"
        | "www.rssboard.org/rss-specification"
        | "www.sitemaps.org/schemas/sitemap/0.9"
        | "www.google.com/schemas/sitemap/0.84"
        | "www.google.com/schemas/sitemap/0.9" => Ns::Plain,
        "www.w3.org/2005/atom"
        | "purl.org/atom/ns"
        | "example.com/newformat"
        | "example.com/necho"
        | "purl.org/echo"
        | "uri/of/echo/namespace"
        | "purl.org/pie"
        | "purl.org/atom-blog/ns"
        | "www.intertwingly.net/wiki/pie" => Ns::Atom,
        "purl.org/dc/elements/1.1"
        | "purl.org/dc/elements/1.0"
        | "purl.org/metadata/dublin_core" => Ns::Dc,
        "purl.org/dc/terms" => Ns::DcTerms,
        "purl.org/rss/1.0/modules/content" => Ns::Content,
        "search.yahoo.com/mrss"
        | "tools.search.yahoo.com/mrss"
        | "video.search.yahoo.com/mrss"
        | "www.rssboard.org/media-rss" => Ns::Media,
        "www.itunes.com/dtds/podcast-1.0.dtd" | "example.com/dtds/podcast-1.0.dtd" => Ns::Itunes,
        "purl.org/rss/1.0/modules/syndication" => Ns::Syndication,
        "rssnamespace.org/feedburner/ext/1.0" => Ns::FeedBurner,
        "www.google.com/schemas/sitemap-news/0.9" => Ns::News,
        "purl.org/syndication/history/1.0" => Ns::History,
        "www.w3.org/1999/xhtml" => Ns::Xhtml,
        "www.w3.org/1999/02/22-rdf-syntax-ns" => Ns::Rdf,
        _ => Ns::Other,
    }
}

/// The vocabulary that an undeclared prefix stands for by custom.
pub(super) fn of_prefix(prefix: &str) -> Ns {
    match prefix.to_ascii_lowercase().as_str() {
        "rss" | "rss10" | "rss11" | "rss091" => Ns::Plain,
        "atom" | "atom10" | "atom03" | "a10" => Ns::Atom,
        "dc" => Ns::Dc,
        "dcterms" | "dct" => Ns::DcTerms,
        "content" => Ns::Content,
        "media" => Ns::Media,
        "itunes" => Ns::Itunes,
        "sy" | "syn" => Ns::Syndication,
        "feedburner" => Ns::FeedBurner,
        "news" => Ns::News,
        "fh" => Ns::History,
        "xhtml" | "html" => Ns::Xhtml,
        "rdf" => Ns::Rdf,
        _ => Ns::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_one_namespace_are_one_vocabulary() {
        for (uri, expected) in [
            ("http://www.w3.org/2005/Atom", Ns::Atom),
            ("https://www.w3.org/2005/Atom/", Ns::Atom),
            ("http://purl.org/atom/ns#", Ns::Atom),
            ("http://search.yahoo.com/mrss", Ns::Media),
            ("http://search.yahoo.com/mrss/", Ns::Media),
            ("http://www.iTunes.com/DTDs/Podcast-1.0.dtd", Ns::Itunes),
            ("", Ns::Plain),
            ("http://example.org/own", Ns::Other),
        ] {
            assert_eq!(of_uri(uri), expected, "{uri:?}");
        }
    }
}

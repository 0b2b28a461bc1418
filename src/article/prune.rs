//! Takes out of a page's tree what its markup says is no part of an article:
//! navigation, boxes of other stories, of newsletters, of sharing, of authors,
//! of cookies, and advertisements. Words of classes and ids are looked at, in
//! the languages that web sites are built in.

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use ego_tree::iter::Edge;
use ego_tree::{NodeId, NodeRef};
use scraper::node::Element;
use scraper::{Html, Node};

use super::tree;

/// A text run of so many characters counts as prose.
const PROSE: usize = 60;
/// What holds more than this share of a page's prose stays, in percent.
const LARGEST_SHARE: usize = 25;
/// Readers may say much more than an article.
const LARGEST_COMMENTS: usize = 80;
/// Where so much prose stands beside pictures they are not what the page is
/// about, in characters.
const BESIDE_GALLERY: usize = 1500;
/// What all boxes together may hold of a page's prose, in percent.
const MOST_BOXED: usize = 60;
/// What scripts know an element by; some sites have no other names.
const NAMED: [&str; 3] = ["data-component", "data-testid", "data-qa"];
/// Labels of an element that are read.
pub(super) const MOST_LABELS: usize = 40;

/// What an element says of itself.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Meaning {
    Content,
    Unwanted,
    /// What readers say.
    Comments,
    /// Pictures with what is said of them.
    Gallery,
    /// Nothing that people read.
    Machine,
}

/// An element that may go.
struct Found {
    id: NodeId,
    /// Characters of prose inside.
    prose: usize,
    meaning: Meaning,
}

/// An element on the way down.
struct Open {
    meaning: Meaning,
    /// Characters of prose inside.
    prose: usize,
    /// It holds something that only the article has.
    protected: bool,
}

/// Removes what is no article. A large part of the page's prose is never
/// removed: where boxes hold most of it, their names mean something else, and
/// only those without prose go.
pub(super) fn prune(tree: &mut Html) {
    let (unwanted, total) = candidates(tree);
    let (machine, boxes): (Vec<_>, Vec<_>) =
        unwanted.into_iter().partition(|found| found.meaning == Meaning::Machine);
    detach(tree, machine.iter());
    let boxes = outermost(tree, boxes, total);
    let wanted = boxes.iter().filter(|found| found.meaning == Meaning::Unwanted);
    let boxed: usize = wanted.map(|found| found.prose).sum();
    let spared = boxed * 100 > total * MOST_BOXED;
    let galleries = boxes.iter().filter(|found| found.meaning == Meaning::Gallery);
    let shown: usize = galleries.map(|found| found.prose).sum();
    // Many small ones may be all that a page has.
    let stays = |meaning: Meaning| match meaning {
        Meaning::Unwanted => spared,
        Meaning::Gallery => total - shown.min(total) < BESIDE_GALLERY,
        _ => false,
    };
    let goes = |found: &&Found| found.prose == 0 || !stays(found.meaning);
    detach(tree, boxes.iter().filter(goes));
}

/// Those that are not too large and not inside of another.
fn outermost(tree: &Html, found: Vec<Found>, total: usize) -> Vec<Found> {
    let mut chosen = HashSet::new();
    let is_small = |found: &Found| match found.meaning {
        Meaning::Gallery if total - found.prose.min(total) >= BESIDE_GALLERY => true,
        Meaning::Comments => found.prose * 100 <= total * LARGEST_COMMENTS,
        _ => found.prose * 100 <= total * LARGEST_SHARE,
    };
    // What is around was found after what is inside.
    let mut outermost = found;
    outermost.reverse();
    outermost.retain(|found| {
        let inside = || {
            let node = tree.tree.get(found.id);
            node.is_some_and(|node| node.ancestors().any(|around| chosen.contains(&around.id())))
        };
        let goes = is_small(found) && !inside();
        if goes {
            chosen.insert(found.id);
        }
        goes
    });
    outermost
}

fn detach<'a>(tree: &mut Html, found: impl Iterator<Item = &'a Found>) {
    for found in found {
        if let Some(mut node) = tree.tree.get_mut(found.id) {
            node.detach();
        }
    }
}

/// Elements that may go, the inner ones first, and the prose of the page.
fn candidates(tree: &Html) -> (Vec<Found>, usize) {
    let (mut open, mut found, mut total): (Vec<Open>, _, _) = (Vec::new(), Vec::new(), 0);
    for edge in tree.tree.root().traverse() {
        match edge {
            Edge::Open(node) => match node.value() {
                Node::Element(element) => open.push(Open {
                    meaning: of(element),
                    prose: 0,
                    protected: is_article(element),
                }),
                Node::Text(text) => {
                    let length = text.trim().chars().count();
                    if length >= PROSE && !is_unseen(node) {
                        total += length;
                        if let Some(last) = open.last_mut() {
                            last.prose += length;
                        }
                    }
                }
                _ => {}
            },
            Edge::Close(node) if node.value().is_element() => {
                let Some(closed) = open.pop() else { continue };
                if let Some(parent) = open.last_mut() {
                    parent.prose += closed.prose;
                    parent.protected |= closed.protected;
                }
                let goes = match closed.meaning {
                    Meaning::Content => false,
                    Meaning::Machine => true,
                    Meaning::Unwanted | Meaning::Comments | Meaning::Gallery => {
                        !closed.protected && !is_in_sentence(node)
                    }
                };
                if goes {
                    found.push(Found {
                        id: node.id(),
                        prose: closed.prose,
                        meaning: closed.meaning,
                    });
                }
            }
            Edge::Close(_) => {}
        }
    }
    (found, total)
}

fn is_unseen(node: NodeRef<'_, Node>) -> bool {
    let name = node.parent().and_then(|parent| parent.value().as_element().map(Element::name));
    name.is_some_and(tree::is_hidden)
}

/// Whether an element is shown among words, so that they need it.
fn is_in_sentence(node: NodeRef<'_, Node>) -> bool {
    const INLINE: [&str; 10] =
        ["a", "abbr", "b", "cite", "em", "font", "i", "mark", "span", "strong"];
    let Some(element) = node.value().as_element() else { return false };
    let is_words = |beside: Option<NodeRef<'_, Node>>| {
        let text = beside.and_then(|beside| beside.value().as_text().map(|text| &**text));
        text.is_some_and(|text| text.chars().any(char::is_alphanumeric))
    };
    INLINE.contains(&element.name())
        && !is_invisible(element)
        && (is_words(node.prev_sibling()) || is_words(node.next_sibling()))
}

/// Whether an element is, or begins, the article.
fn is_article(element: &Element) -> bool {
    element.name() == "h1"
        || matches!(element.name(), "html" | "body" | "main" | "head" | "title")
        || element.attr("itemprop").is_some_and(|name| name.eq_ignore_ascii_case("articleBody"))
}

/// What an element says of itself.
fn of(element: &Element) -> Meaning {
    const ROLES: [&str; 7] =
        ["navigation", "complementary", "banner", "contentinfo", "search", "menu", "dialog"];
    const ITEMS: [&str; 3] = ["comment", "breadcrumb", "keywords"];
    match element.name() {
        // The finder reads markup inside of these, which was not looked at.
        "script" | "style" | "noscript" | "template" | "iframe" => return Meaning::Machine,
        "nav" | "form" | "dialog" => return Meaning::Unwanted,
        "html" | "body" | "main" | "article" | "head" => return Meaning::Content,
        _ => {}
    }
    // Blogs name an article's kind and topics in its classes.
    let class = element.attr("class").unwrap_or_default();
    if class.split_whitespace().any(|name| name == "hentry" || name == "type-post") {
        return Meaning::Content;
    }
    let says = |key: &str, words: &[&str]| {
        element.attr(key).is_some_and(|said| words.contains(&said.to_ascii_lowercase().as_str()))
    };
    if says("role", &ROLES) || says("itemprop", &ITEMS) || is_invisible(element) {
        return Meaning::Unwanted;
    }
    let labels = ["class", "id"].iter().chain(&NAMED).filter_map(|key| element.attr(key));
    let labels = labels.flat_map(|label| label.split_whitespace().take(MOST_LABELS));
    labels.map(meaning).find(|meaning| *meaning != Meaning::Content).unwrap_or(Meaning::Content)
}

/// Whether an element is not shown.
pub(super) fn is_invisible(element: &Element) -> bool {
    let style = element.attr("style").unwrap_or_default();
    let style: String = style.chars().filter(|c| !c.is_whitespace()).collect();
    let style = style.to_ascii_lowercase();
    element.attr("hidden").is_some()
        || element.attr("aria-hidden").is_some_and(|hidden| hidden == "true")
        || style.contains("display:none")
        || style.contains("visibility:hidden")
}

/// What a class or an id says.
fn meaning(label: &str) -> Meaning {
    let words = words(label);
    let mut joined = String::new();
    let names = (0..words.len()).flat_map(|at| {
        joined.clear();
        let names = words[at..].iter().take(LONGEST_NAME).filter_map(|word| {
            joined.push_str(if joined.is_empty() { "" } else { "-" });
            joined.push_str(word);
            NAMES.get(joined.as_str()).copied()
        });
        names.collect::<Vec<_>>()
    });
    names.min_by_key(|(rank, _)| *rank).map_or(Meaning::Content, |(_, meaning)| meaning)
}

/// What a label is made of: `relatedPosts_box` gives `related`, `posts`, `box`.
pub(super) fn words(label: &str) -> Vec<String> {
    let (mut words, mut lower) = (vec![String::new()], false);
    for c in label.chars().take(80) {
        if !c.is_alphanumeric() || (c.is_uppercase() && lower) {
            words.push(String::new());
        }
        lower = c.is_lowercase();
        if c.is_alphanumeric()
            && let Some(word) = words.last_mut()
        {
            word.extend(c.to_lowercase());
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

/// Words in a row that a name is made of, at the most.
const LONGEST_NAME: usize = 4;

/// Names of things that are no article: single words of labels, or several in
/// a row.
static NAMES: LazyLock<HashMap<&'static str, (u8, Meaning)>> = LazyLock::new(|| {
    // What counts where a label has several.
    let sets = [
        (0, Meaning::Content, WANTED),
        (1, Meaning::Comments, COMMENTS),
        (2, Meaning::Unwanted, OTHER_STORIES),
        (2, Meaning::Unwanted, SHARING),
        (2, Meaning::Unwanted, AUTHORS),
        (2, Meaning::Unwanted, ADVERTISING),
        (2, Meaning::Unwanted, BESIDES),
        (3, Meaning::Gallery, GALLERIES),
    ];
    let mut all = HashMap::new();
    for (rank, meaning, names) in sets {
        for name in names.split_whitespace() {
            all.entry(name).or_insert((rank, meaning));
        }
    }
    all
});
/// Boxes and lists of other stories.
const OTHER_STORIES: &str = "related relatedposts relatedarticles relatedstories relatedcontent \
    relatedlinks relatednews relatedtopics relatedcoverage similar recommended recommendation \
    recommendations recirculation recirc read-more readmore read-also readalso also-read readnext \
    read-next next-read nextread next-up up-next more-about more-from more-on more-stories \
    morestories more-like-this more-coverage further-reading keep-reading suggested suggestions \
    you-may-like you-might-like also-like see-also seealso most-read mostread most-popular \
    mostpopular most-viewed mostviewed most-shared most-commented most-recent popular-posts \
    popular-stories popular-articles popular-news trending latest-news latest-stories \
    latest-articles latest-posts latest-headlines top-stories top-news recent-posts \
    recent-articles recent-stories next-story nextstory next-article next-post prev-next \
    post-navigation post-nav article-nav article-navigation nav-links pagination linkbox link-list \
    linklist links-block rich-link richlink onward inread interstitial carousel teaser-list \
    teaserlist story-list yarpp crp taboola outbrain plista zergnet revcontent mgid dianomi \
    ligatus nativo strossle verwandte weiterlesen mehr-zum-thema mehr-lesen mehr-artikel \
    mehr-themen weitere-artikel weitere-themen weitere-meldungen auch-interessant lesen-sie-auch \
    lesetipp lesetipps leseempfehlung leseempfehlungen meistgelesen meistgelesene \
    themenverwandt passend-zum-thema relacionadas relacionados relacionada te-puede-interesar \
    te-recomendamos mas-leido mas-leidas mas-leidos mas-noticias leer-mas lea-tambien lee-tambien \
    ver-tambien leia-mais leia-tambem veja-tambem saiba-mais mais-lidas lire-aussi a-lire-aussi \
    articles-lies meme-sujet plus-lus lire-la-suite leggi-anche correlati correlate \
    potrebbe-interessarti piu-letti lees-ook lees-meer lees-verder gerelateerd meest-gelezen \
    czytaj-takze czytaj-tez zobacz-takze zobacz-tez powiazane polecane najczesciej-czytane \
    souvisejici mohlo-by-vas-zajimat nejctenejsi doporucujeme relaterade relaterat relaterede \
    relaterte las-mer las-ocksa les-ogsa mest-lest luetuimmat lue-myos kapcsolodo ajanlo \
    citeste-si articole-similare ilgili-haberler";
/// Buttons and invitations.
const SHARING: &str = "newsletter newsletters subscribe signup sign-up email-signup mailing-list \
    regwall membership-promo donate donation donations support-us patreon spenden spendenaufruf \
    share sharing sharebar sharethis sharebuttons sharelinks sharetools sharedaddy social socials \
    socialmedia socialshare shariff addtoany addthis follow-us followus app-promo appstores promo \
    compartir compartilhar partager partage condividi teilen udostepnij sdilet sdileni delen dela \
    paylas redes-sociales";
/// Who wrote it.
const AUTHORS: &str = "author-bio authorbio author-box authorbox author-info author-profile \
    author-description author-card author-details author-desc author-text about-author \
    about-the-author user-profile writer-bio contributor-bio byline-bio bio saboxplugin \
    autorenbox autoren-box autor-box autoreninfo autorenprofil autor-info autor-bio \
    sobre-el-autor sobre-o-autor";
const ADVERTISING: &str = "ad ads advert advertisement advertisements advertising advertorial \
    adsbygoogle adbox adslot ad-slot anzeige anzeigen werbung publicidad publicidade publicite \
    pubblicita reklama reklamy reklam annons annonse annonce advertentie hirdetes mainos \
    sponsored sponsor sponsors partner-content";
/// Links of the site, cookies, and what a page says of itself.
const BESIDES: &str = "breadcrumb breadcrumbs crumbs tags taglist tagcloud tag-list topic-list \
    etiquetas tagi schlagworte mots-cles cookie cookies consent borlabs onetrust usercentrics gdpr \
    content-blocker third-party embed-privacy disclosure print-only toc table-of-contents";
/// Names of what readers say to an article.
const COMMENTS: &str = "comments commentlist comment-list comment-section comments-area \
    comment-form disqus livefyre viafoura openweb kommentare leserkommentare kommentarbereich \
    comentarios commentaires commenti reacties komentarze komentarze-lista respond";
/// Names of rows of pictures.
const GALLERIES: &str = "gallery galleries photogallery imagegallery slideshow fotostrecke \
    bilderstrecke bildergalerie bilderserie fotogalerie fotogallery diaporama fotogaleria galeria \
    galleria";
/// With these words a label is of the article's own parts after all.
const WANTED: &str = "body main lead headline title has with no";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_read_by_words() {
        let check = |label: &str, expected: Meaning| {
            assert!(meaning(label) == expected, "{label}");
        };
        let (unwanted, content) = (Meaning::Unwanted, Meaning::Content);
        check("relatedPosts_box", unwanted);
        check("article__related", unwanted);
        check("box-newsletter", unwanted);
        check("unrelated", content);
        check("header-shadow", content);
        check("has-related", content);
        check("readMoreLinks", unwanted);
        check("read-later-more", content);
        check("comments-area", Meaning::Comments);
        check("share-price", unwanted);
        check("entry__author-description", unwanted);
        check("czytaj-takze", unwanted);
        check("nextStory", unwanted);
        check("recommended-title", content);
        check("", content);
    }

    #[test]
    fn what_is_no_article_goes_and_what_may_be_one_stays() {
        let check = |html: &str, expected: &str| {
            let mut tree = Html::parse_document(html);
            prune(&mut tree);
            assert_eq!(tree::lines(&tree), expected, "{html}");
        };
        let prose = format!("<p>{}</p>", "A sentence of the story. ".repeat(20).trim());
        let story = format!("{}\n", "A sentence of the story. ".repeat(20).trim());
        for unwanted in [
            "<nav>Home</nav>",
            "<div class=author-bio>She writes.</div>",
            "<div role=complementary>Beside</div>",
            "<ul itemprop=keywords><li>ships</ul>",
            "<div style='display: none'>Unseen</div>",
            "<div data-component=links-block>Another story</div>",
            "<p class=social>Share this</p>",
            "<section id=relatedStories><p>Another story that is told in more than a few words.</section>",
        ] {
            check(&format!("{prose}{unwanted}"), &story);
        }
        // What holds most of a page is no box, whatever it is called.
        check(&format!("<div class=share>{prose}</div>"), &story);
        check(&format!("<div class=promo><h1>Ships</h1></div>{prose}"), &format!("Ships\n{story}"));
        // Nor are boxes that hold most of it together: their name means something else.
        let posts: Vec<String> =
            (0..10).map(|n| format!("{story}{n}").replace('\n', " ")).collect();
        let boxes = posts.iter().map(|post| format!("<div class=share-item><p>{post}</p></div>"));
        check(&boxes.collect::<String>(), &(posts.join("\n") + "\n"));
        let blog =
            format!("<div class='post hentry tag-social'>{prose}</div>{prose}{prose}{prose}");
        check(&blog, &story.repeat(4));
        // Pictures beside an article may have more words than it.
        let pictures = prose.replace("story", "picture").repeat(9);
        let pictures = format!("<div class=full-gallery>{pictures}</div>");
        check(&format!("{pictures}{}", prose.repeat(4)), &story.repeat(4));
        let both = format!("{story}{}", story.replace("story", "picture").repeat(9));
        check(&format!("{prose}{pictures}"), &both);
        // Many small galleries may be all that a page has.
        let photos: Vec<String> =
            (0..10).map(|n| format!("{story}{n}").replace('\n', " ")).collect();
        let boxes =
            photos.iter().map(|text| format!("<div class=gallery-item><p>{text}</p></div>"));
        check(&boxes.collect::<String>(), &(photos.join("\n") + "\n"));
        // Readers often say more than the article.
        let said = prose.replace("story", "reader").repeat(3);
        check(&format!("{prose}<div class=comment-list>{said}</div>"), &story);
    }

    #[test]
    fn words_of_a_sentence_stay() {
        let check = |html: &str, expected: &str| {
            let mut tree = Html::parse_document(html);
            prune(&mut tree);
            assert_eq!(tree::lines(&tree), expected, "{html}");
        };
        check("<p>She bought <a class=promo>a lamp</a>.</p>", "She bought a lamp.\n");
        check("<p>He said <span class=related>so</span> twice.</p>", "He said so twice.\n");
        check(
            "<p>They left<span class=share hidden>Share</span> at noon.</p>",
            "They left at noon.\n",
        );
        check("<p>They left.</p><a class=share>Share</a>", "They left.\n");
    }

    #[test]
    fn what_only_machines_read_goes_whatever_it_holds() {
        for name in ["template", "noscript", "iframe", "script"] {
            let mut tree = Html::parse_document(&format!("<p>a</p><{name}><h1>x</h1></{name}>"));
            prune(&mut tree);
            assert!(!tree.html().contains(name), "{}", tree.html());
        }
    }
}

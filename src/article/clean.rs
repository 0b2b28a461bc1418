//! Lines that are no part of an article: advertisements, widgets, credits,
//! calls to subscribe, and lists of other articles. Only whole lines are
//! judged, and mostly short ones.

use std::collections::HashSet;
use std::sync::LazyLock;

use regex::Regex;

/// A pattern of ours; a test sees to it that each can be read.
fn pattern(text: &str) -> Option<Regex> {
    Regex::new(text).ok()
}

fn holds(pattern: &LazyLock<Option<Regex>>, line: &str) -> bool {
    pattern.as_ref().is_some_and(|pattern| pattern.is_match(line))
}

/// A whole line, in lower case and without punctuation around it.
static EXACT: LazyLock<Option<Regex>> = LazyLock::new(|| {
    pattern(
        r"(?x)^(?:
  advertisements?|ad|ads|anzeige|werbung|publicidad|publicidade|publicité|pubblicità|reklama|annons|advertisement[\ -]+(?:scroll|story\ continues|article\ continues).*|article\ continues\ (?:after|below).*|contin[uú]a\ (?:depois|después)\ d.{0,30}publici\w+|la\ suite\ après\ (?:la|cette)\ publicité|(?:weiter|artikel|lesen\ sie|fortsetzung)\ .{0,30}(?:werbung|anzeige)(?:\ .{0,20})?|story\ continues\ below.*|sponsored(?:\ content)?|promoted|sponsored\ by.*|skip\ ad(?:vertisement)?|
  (?:listen|hear|anhören|artikel\ anhören|escuchar|écouter)(?:\ to\ (?:this\ )?(?:article|story))?(?:[\ ·|•:,(-]*\d+[:.]?\d*\ *(?:min(?:ute)?s?\.?|sec)?\)?)?|
  (?:gift|share|save|print|bookmark|comment\ on|send|email)(?:\ (?:full|this|the))*\ (?:article|story|page|link|post)|gift|save|print|share|reprints|copy\ link|link\ copied.*|
  \d+[\ -]*(?:min(?:ute)?s?|minuten|minutos|minuti)[\ -]*(?:read|to\ read|lesezeit|de\ lectura|de\ lecture)?|(?:reading\ time|lesezeit|lesedauer|temps\ de\ lecture|tiempo\ de\ lectura)[:\ ].{0,20}|
  \d[\d.,k]*\ (?:shares?|comments?|likes?|views?|kommentare?|comentarios?|commentaires?)|
  (?:leave\ a|post\ a|add\ a|view|show|read|join\ the|hide|load\ more|see\ all)\ (?:\d+\ )?(?:comments?|reply|conversation|discussion)|comments?(?:\ are\ closed|\ section)?|kommentare?(?:\ \(?\d+\)?)?|kommentieren|comentarios|commentaires|dejá\ tu\ comentario|be\ part\ of\ the\ conversation.*|
  back\ to\ top|nach\ oben|zum\ seitenanfang|top|skip\ to\ (?:main\ )?content|continue\ reading(?:\ the\ main\ story)?|read\ (?:full|the\ full)\ (?:article|story)|weiterlesen|mehr\ (?:erfahren|lesen|anzeigen)|read\ more|show\ more|load\ more|more|next|previous|zurück|startseite|home|menu|suchen|search|close|schließen|bild\ (?:anzeigen|schließen|vergrößern)|view\ (?:image|gallery|photos?).{0,20}|open\ image.*|image|photo|video|play\ video|watch(?:\ now)?|loading\.*|
  tags?|themen|temas|topics?|categories|kategorien|teilen|share\ (?:this|on|via).{0,40}|teilen\ (?:mit|auf).{0,40}|compartir.{0,30}|partager.{0,30}|condividi.{0,30}|beitrag\ teilen|artikel\ (?:teilen|drucken|merken)|gefällt\ mir.{0,30}|
  newsletter|sign\ up|subscribe(?:\ now)?|log\ ?in|sign\ in|register(?:\ now)?|abonnieren|jetzt\ (?:abonnieren|anmelden|registrieren)|
  edit|\[?edit\]?|permalink|report\ (?:a\ )?(?:typo|error|ad).{0,30}|fehler\ (?:melden|gefunden).{0,30}|correction.{0,3}
)$",
    )
});
/// How a line of furniture begins.
static START: LazyLock<Option<Regex>> = LazyLock::new(|| {
    pattern(
        r"(?xi)^[\W_]*(?:
  (?:read|see|watch|listen)\ (?:more|also|next|too)\b|also\ read\b|read:|more:|related\ ?(?::|articles?|stories|coverage|content|topics|posts|news|reading|video)|recommended(?:\ (?:for\ you|reading|stories|videos?))?:?$|you\ (?:may|might)\ (?:also\ )?(?:like|be\ interested)|don'?t\ miss|in\ case\ you\ missed|more\ (?:from|on|stories|news|about|in)\b|most\ (?:read|popular|viewed)|trending\b|up\ next|what\ to\ (?:read|know)\ next|editor'?s\ (?:picks?|choice)|
  lesen\ sie\ (?:auch|hier|mehr|dazu)|auch\ (?:lesen|interessant)|lies\ auch|mehr\ (?:zum\ thema|dazu|themen|infos|von|aus|über)\b|weitere\ (?:artikel|informationen|beiträge|meldungen|nachrichten|themen)|das\ (?:thema\ )?könnte\ (?:dich|sie)\ auch|ähnliche\ (?:artikel|beiträge|themen)|passend\ dazu|siehe\ auch|empfohlene\ (?:beiträge|artikel)|empfehlungen?\ (?:der|für)|meistgelesen|verwandte\ (?:artikel|themen|beiträge)|schon\ gelesen|zum\ thema:?$|
  (?:lea|lee|leer|mira|mire|vea|ver|sepa|descubra|te\ puede\ interesar|te\ recomendamos|no\ te\ pierdas|puedes\ leer|le\ puede\ interesar)(?:\ (?:también|más|además|aquí))?\s*[:：|]|te\ puede\ interesar|le\ puede\ interesar|más\ (?:sobre|noticias)\b|notas?\ relacionadas?|artículos?\ relacionados?|
  (?:à\ )?lire\ (?:aussi|également|plus)|voir\ aussi|(?:sur\ le\ )?même\ sujet|pour\ aller\ plus\ loin|articles?\ (?:liés|similaires|connexes)|dernières\ news|leggi\ (?:anche|tutto)|potrebbe\ interessarti|leia\ (?:também|mais)|veja\ (?:também|mais)|saiba\ mais|(?:czytaj|zobacz|przeczytaj)\ (?:też|także|również|więcej)|lees\ (?:ook|meer)|läs\ (?:också|mer|även)|читайте\ также|اقرأ\ (?:أيضا|أيضًا)|
  follow\ .{0,60}\b(?:on|via)\ (?:twitter|facebook|instagram|x|telegram|linkedin|whatsapp|google|tiktok|youtube|bluesky)|(?:like|join|find|add)\ us\ on\b|folg(?:en|t)?\ (?:sie\ )?uns\b|síguenos|suivez[- ]nous|seguici|siga-nos|
  (?:sign|signup)\ up\ (?:for|to|here|now)|subscribe\ (?:to|for|now|today|here)|get\ (?:the|our|your)\ .{0,60}\b(?:newsletter|inbox|email)|(?:our|the|free|daily|weekly|unser(?:en)?|zum|der|nuestro|notre)\ .{0,40}newsletter|newsletter\b.{0,60}|suscr[ií]bete|abonnez[- ]vous|jetzt\ (?:abonnieren|anmelden|newsletter)|by\ (?:signing\ up|subscribing|registering|clicking|submitting)|already\ (?:a\ )?(?:subscriber|registered|have\ an\ account)|to\ (?:continue|keep)\ reading|this\ (?:article|content|story)\ is\ (?:for|only|reserved)|
  (?:we|this\ (?:site|website)|our\ (?:site|website)|diese\ (?:website|seite)|wir)\ (?:uses?|verwende[nt]|nutzen|setzt)\ (?:\w+\ )?(?:cookies|akismet)|(?:accept|manage|reject|alle)\ (?:all\ )?cookies|cookie[- ](?:settings|policy|einstellungen)|datenschutz|privacy\ policy|impressum|
  (?:all\ rights\ reserved|alle\ rechte\ vorbehalten|todos\ los\ derechos|tous\ droits\ réservés)|(?:copyright|©|\(c\))|
  (?:topics|tags|filed\ under|keywords|themen|schlagwort|schlagw[öo]rte[rn]?|stichworte|temas|etiquetas|mots[- ]clés|argomenti|tagi|słowa\ kluczowe)\s*:|
  (?:quellen?|sources?|fuentes?|fonti|fonte|źródł[oa]|zdroj|bron|источник|来源)\s*[:：]|(?:photo|photograph|foto|fotos|image|bild|titelbild|bildnachweis|bildquelle|picture|crédits?(?:\ photos?)?|photo\ credit|image\ credit|credit|credits|screenshot|grafik|infografik|abbildung\ \d+)(?:\s*(?:\([^)]{0,30}\))?\s*[:：/©|]|\ (?:by|von|courtesy|via|credit)\b)|
  download\ (?:the|our)\ .{0,40}\bapp\b|(?:if\ you|for\ the\ latest|stay\ (?:up|informed|connected)|send\ us|contact\ us|have\ a\ (?:tip|story)|got\ a\ (?:tip|story)).{0,80}\b(?:newsletter|e-?mail|whatsapp|twitter|facebook|app|telegram|subscribe|sign\ up)
)",
    )
});
/// Words before who is quoted, or before what was said by whom.
static SOURCE: LazyLock<Option<Regex>> = LazyLock::new(|| {
    pattern(
        r"(?i)^[\W_]*(?:quellen?|sources?|fuentes?|fonti|fonte|źródł[oa]|zdroj|bron|источник)\s*:",
    )
});
/// How the credit of a picture ends.
static CREDIT_END: LazyLock<Option<Regex>> = LazyLock::new(|| {
    pattern(
        r"(?i)(?:getty images|/\s*(?:afp|ap|reuters|dpa|epa|apa|efe|ansa|shutterstock|bloomberg|istock|imago|keystone|picture[- ]alliance|anadolu|alamy|xinhua|tass|aap|pa (?:wire|media|images)|usa today sports|europa press|lapresse|belga|anp|ntb|ritzau|scanpix|čtk|pap|mti|lusa|canadian press|zuma|sipa|nurphoto)\b.{0,20}|\((?:photo|foto|image|bild|file photo)[:\s][^)]{0,60}\)|(?:ap|afp|reuters|epa) photo.{0,30}|via (?:ap|reuters|getty|afp)|©.{0,50})[\s).]*$",
    )
});
/// What stands for a post, a film or a picture that is loaded from elsewhere,
/// and what a page says when it is not.
static EMBED: LazyLock<Option<Regex>> = LazyLock::new(|| {
    pattern(
        r"(?xi)^[\W_]*(?:
  view\ this\ post\ on|(?:sieh|schau)\ dir\ diesen\ beitrag|ver\ esta\ publicaci[óo]n|voir\ cette\ publication|visualizza\ questo\ post|wyświetl\ ten\ post|a\ post\ shared\ by|ein\ (?:von\ .{1,60}\ geteilter\ )?beitrag\ (?:geteilt\ von|auf\ instagram)|una\ publicaci[óo]n\ compartida|une\ publication\ partagée|un\ post\ condiviso\ da|
  empfohlener\ (?:externer\ |redaktioneller\ )?inhalt|externer?\ inhalt|an\ dieser\ stelle\ (?:finden|findest|befindet)\ .{0,30}(?:inhalt|video|tweet)|mit\ dem\ (?:laden|klick|aufruf)\ .{0,60}(?:akzeptier|stimm|einverstanden)|ich\ bin\ (?:damit\ )?einverstanden,\ dass\ mir|wir\ (?:benötigen|brauchen)\ (?:ihre|deine)\ (?:zustimmung|einwilligung)|um\ (?:diesen|dieses|den)\ (?:inhalt|video|tweet|beitrag|elemente?)\ (?:anzu|zu\ laden|anzeigen)|
  allow\ .{1,30}\ content\?|this\ (?:article|story|page)\ contains\ content\ (?:provided|hosted)\ by|this\ content\ is\ hosted\ by|to\ (?:view|see|display)\ this\ (?:content|video|post|embed)|this\ video\ (?:can\ ?not\ be\ (?:played|viewed|shown|loaded)|is\ (?:not|no\ longer)\ (?:available|supported))|your\ browser\ does\ not|ihr\ browser\ unterstützt|(?:please\ )?(?:enable|activate|turn\ on)\ javascript|javascript\ (?:is|must\ be)\ (?:required|disabled|enabled)|
  (?:skip|end\ of)\ (?:twitter|x|youtube|facebook|instagram|tiktok)\ (?:post|content|video)|(?:image|media|figure|video)\ (?:caption|source)\b|https?://\S+$|
  (?:our|editorial)\ standards:|click\ here\ (?:to|for)\b|join\ (?:our|the)\ .{0,40}(?:whatsapp|telegram)|follow\ our\ .{0,40}channel|subscribe\ to\ our\ .{0,40}channel|únete\ a\ nuestr|rejoignez[- ]nous|iscriviti\ (?:al|alla|a)\b|zapisz\ się\ (?:na|do)\b|подпи(?:шитесь|сывайтесь)|присоединяйтесь|关注我们|责任编辑|編輯：
)",
    )
});
/// What a page says of cookies, however long.
static COOKIES: LazyLock<Option<Regex>> = LazyLock::new(|| {
    pattern(
        r"(?xi)^(?:
  (?:we|wir)\ (?:and\ our\ partners\ )?(?:use|store|verwenden|nutzen|setzen)\b|(?:this|our|diese|unsere)\ (?:web\ ?)?(?:site|seite)\b|by\ (?:continuing|using|clicking|visiting)\b|um\ .{0,80}\b(?:verwenden|nutzen|setzen)\b|(?:nosotros\ )?(?:usamos|utilizamos)\b|(?:este|esta|nuestr[oa])\ (?:sitio|web|página)|nous\ utilisons|(?:ce|notre)\ site|(?:utilizziamo|usiamo)\b|questo\ sito|(?:używamy|wykorzystujemy)\b|(?:ta|nasza)\ (?:strona|witryna)|(?:ten|nasz)\ serwis|(?:tento|náš)\ web|používáme|(?:wij\ gebruiken|deze\ (?:web)?site)|vi\ (?:använder|bruger|bruker)|мы\ используем|(?:этот|наш)\ сайт
).{0,160}\b(?:cookies?|ciasteczk\w+|kuki|файлы?\ cookie)\b",
    )
});
/// What such a notice speaks of besides.
static CONSENT: LazyLock<Option<Regex>> = LazyLock::new(|| {
    pattern(
        r"(?i)\b(?:(?:web ?)?sites?|web\w*|pages?|brows\w+|consent\w*|accept\w*|agree\w*|priva\w+|experience|settings|adverti\w+|analy\w+|traffic|daten\w*|zustimm\w+|einwillig\w+|einverstanden|nutz\w+|seiten?|analys\w+|acept\w+|experienc\w+|publici\w+|sitio|accepte[rz]?|expérience|navigat\w+|naviga\w+|consens\w+|accetta\w*|strony?|serwis\w*|zgod\w+|stránk\w+|souhlas\w*|instemm\w+|godkänn\w+|сайт\w*|соглас\w+)\b",
    )
});
/// Who wrote a text, before it.
static BYLINE: LazyLock<Option<Regex>> = LazyLock::new(|| {
    pattern(
        r"(?x)^(?i:(?:written\ |story\ )?by|von|par|por|door|av|af|text|texte|tekst|autor(?:in|ka|zy)?|author|автор)[:\s]\s*
        (?:\p{Lu}[\p{L}'’.-]*(?:,|\ &|\ (?:and|und|et|y|e|en|och|og|i|de|del|van|von|der|den|da|di|la|le))*\s*){2,8}$",
    )
});
/// A headline that begins what follows an article.
static TAIL: LazyLock<Option<Regex>> = LazyLock::new(|| {
    pattern(
        r"(?xi)^[\W_]*(?:related(?:\ (?:articles?|stories|coverage|content|topics|posts|news|reading|links))?|recommended(?:\ for\ you)?|more\ (?:from|on|stories|news|in)\b.{0,40}|most\ (?:read|popular|viewed)|read\ (?:more|next)|you\ (?:may|might)\ (?:also\ )?like.{0,20}|trending(?:\ now)?|up\ next|latest\ (?:news|stories)|share\ this.{0,20}|comments?|leave\ a\ (?:comment|reply)|
  mehr\ (?:zum\ thema|themen|infos|artikel)\b.{0,40}|weitere\ (?:artikel|informationen|beiträge|meldungen|nachrichten|themen|links).{0,30}|ähnliche\ (?:artikel|beiträge).{0,20}|das\ (?:thema\ )?könnte\ (?:dich|sie)\ auch.{0,30}|lesen\ sie\ auch|auch\ interessant|schon\ gelesen|empfohlene\ (?:beiträge|artikel)|meistgelesen|verwandte\ .{0,20}|teilen(?:\ mit)?|kommentare.{0,10}|kategorien.{0,10}|schlagwörter|impressum|
  te\ puede\ interesar|más\ (?:sobre|noticias)\b.{0,40}|notas\ relacionadas|temas|comentarios|sur\ le\ même\ sujet|à\ lire\ aussi|dernières\ news.{0,40}|articles\ (?:liés|similaires)|leggi\ anche|leia\ também|veja\ também|czytaj\ (?:też|także|również)|zobacz\ (?:też|także|również))[\W_]*$",
    )
});
/// How a sentence ends.
static PROSE_END: LazyLock<Option<Regex>> =
    LazyLock::new(|| pattern(r#"[.!?。！？…]["'”’»“)\]]*$"#));
/// Words that alone make up a row of buttons.
static BUTTONS: LazyLock<HashSet<&'static str>> = LazyLock::new(|| {
    "facebook twitter x tweet whatsapp telegram linkedin reddit pinterest flipboard email e-mail mail instagram tiktok youtube \
     messenger threads bluesky mastodon xing pocket print drucken copy link teilen share on via auf mit and or und save \
     gift comments comment comentar bookmark sms tumblr rss snapchat line wechat weibo google news more mehr pin it post flip senden merken kommentieren"
    .split_whitespace()
    .collect()
});

/// A longer line is prose.
const LONGEST: usize = 240;
/// What is said of cookies may be longer.
const LONGEST_NOTICE: usize = 600;
/// A sentence of more words is no furniture, whatever it begins with; after
/// "Sources:" one of fewer.
const LONG_SENTENCE: usize = 22;
const SHORT_SENTENCE: usize = 6;
/// Lines among which dates and the writers' names are looked for.
const BEGIN: usize = 5;

/// Whether a line is furniture of the page.
fn furniture(line: &str) -> bool {
    let length = line.chars().count();
    if length <= LONGEST_NOTICE && holds(&COOKIES, line) && holds(&CONSENT, line) {
        return true;
    }
    if length > LONGEST {
        return false;
    }
    let low = line.to_lowercase();
    let bare = low.trim_matches(|c: char| !c.is_alphanumeric() && c != '[' && c != ']');
    if bare.is_empty() || (length <= 90 && holds(&EXACT, bare)) {
        return true;
    }
    let words: Vec<&str> =
        low.split(|c: char| !c.is_alphanumeric() && c != '-').filter(|w| !w.is_empty()).collect();
    if is_row_of_buttons(&words) {
        return true;
    }
    if length <= 200 && (holds(&START, line) || holds(&EMBED, line)) {
        // A long sentence that merely begins like this is kept, and so is a short
        // one after "Sources:", which may be who said it.
        let least = if holds(&SOURCE, line) { SHORT_SENTENCE } else { LONG_SENTENCE };
        return !(words.len() > least && holds(&PROSE_END, line));
    }
    length <= 160 && words.len() <= 30 && holds(&CREDIT_END, line)
}

/// Whether a line names the writers, or says when a text was published. Only
/// lines before a text are asked.
fn is_head(line: &str) -> bool {
    line.chars().count() <= 70 && ((holds(&BYLINE, line) && !is_title(line)) || is_date(line))
}

/// Whether a line begins with a family name that begins like a byline: "Von
/// der Leyen Meets Xi".
fn is_title(line: &str) -> bool {
    let mut words = line.split_whitespace().map(str::to_lowercase);
    words.next().is_some_and(|word| word == "von" || word == "av" || word == "af")
        && words
            .next()
            .is_some_and(|word| ["der", "den", "dem", "de", "zu"].contains(&word.as_str()))
}

/// Whether a line is a date, and hardly anything else.
fn is_date(line: &str) -> bool {
    const SAID: &str = "published updated posted written last modified on at by am pm uhr um kl stand vom \
        der den veröffentlicht aktualisiert erstellt publié mis jour le à et publicado actualizado \
        el de del las publicado atualizado em às pubblicato aggiornato il alle opublikowano \
        aktualizacja dodano dnia godz vydáno aktualizováno gepubliceerd bijgewerkt om est edt gmt \
        utc cet cest bst ist опубликовано обновлено в min read minutes minuten lesezeit";
    let low = line.to_lowercase();
    let words = || low.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    let is_number = |word: &&str| word.starts_with(|c: char| c.is_ascii_digit());
    let is_year = |word: &str| {
        let digits = word.len() == 4 && word.bytes().all(|byte| byte.is_ascii_digit());
        digits && (word.starts_with("19") || word.starts_with("20"))
    };
    let said = |word: &str| SAID.split_whitespace().any(|known| known == word);
    // The month, and the day of the week before a comma.
    let others = words().filter(|word| !is_number(word) && !said(word)).count();
    words().any(|word| is_number(&word) && is_year(word))
        && words().filter(is_number).count() >= 2
        && (others <= 1 || (others == 2 && line.contains(',')))
}

fn is_row_of_buttons(words: &[&str]) -> bool {
    let number = |word: &&&str| word.bytes().all(|b| b.is_ascii_digit());
    words.len() <= 14
        && words.iter().all(|word| BUTTONS.contains(word) || number(&word))
        && !words.iter().all(|word| number(&word))
}

/// The letters and digits of a line, in lower case.
fn fold(line: &str) -> String {
    line.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// The lines without furniture, without the headline, and without what
/// follows the article. A text that would lose more than two fifths stays.
pub(super) fn clean(text: &str, title: Option<&str>) -> String {
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let total: usize = lines.iter().map(|line| line.len()).sum();
    let end = article_end(&lines, total);
    let title = title.map(fold).unwrap_or_default();
    let (mut kept, mut last) = (Vec::new(), String::new());
    for (at, line) in lines[..end].iter().enumerate() {
        let key = fold(line);
        let headline =
            !title.is_empty() && (key == title || (key.len() > 20 && title.starts_with(&key)));
        // Captions and teasers come twice in a row.
        let twice = key.len() > 12 && last == key;
        if furniture(line) || twice || (at < 3 && headline) || (at < BEGIN && is_head(line)) {
            continue;
        }
        last = key;
        kept.push(*line);
    }
    let cleaned = kept.join("\n");
    if cleaned.len() * 10 < total * 6 { lines.join("\n") } else { cleaned }
}

/// Where a headline such as "Related articles" stands in the last third, with
/// no prose after it.
fn article_end(lines: &[&str], total: usize) -> usize {
    let prose =
        |line: &&str| line.chars().count() > 160 && holds(&PROSE_END, line) && !furniture(line);
    let after_prose = lines.iter().rposition(prose).map_or(0, |last| last + 1);
    let mut seen = 0;
    for (at, line) in lines.iter().enumerate() {
        let is_late = at >= after_prose && seen * 100 > total * 65;
        if is_late && line.chars().count() <= 70 && holds(&TAIL, line) {
            return at;
        }
        seen += line.len();
    }
    lines.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_can_be_read() {
        for pattern in [
            &EXACT,
            &START,
            &SOURCE,
            &CREDIT_END,
            &EMBED,
            &COOKIES,
            &CONSENT,
            &BYLINE,
            &TAIL,
            &PROSE_END,
        ] {
            assert!(pattern.is_some());
        }
    }

    #[test]
    fn furniture_is_told_from_prose() {
        let check = |line: &str, expected: bool| assert_eq!(furniture(line), expected, "{line}");
        check("Advertisement", true);
        check("ADVERTISEMENT", true);
        check("Listen 4 min", true);
        check("Listen · 4:12 min", true);
        check("Gift Article", true);
        check("Share full article", true);
        check("Facebook Twitter WhatsApp", true);
        check("12 comments", true);
        check("5 min read", true);
        check("Read more: Fleet leaves port", true);
        check("Sign up for our morning newsletter", true);
        check("This site uses cookies to improve your visit.", true);
        check("Photo: Jane Doe", true);
        check("Topics: ferries, Islands, Editor's Picks", true);
        check("Soldiers at the gate on Monday. Jane Doe/Getty Images", true);
        check("Congress approved $14 billion to support US allies in the Pacific.", false);
        check("Advertisement revenue fell by a third last year, the group said.", false);
        check("He listened for four minutes.", false);
        check("The ministers did not meet.", false);
        check("Share prices rose.", false);
        check("Photographs showed two ships.", false);
        check(
            "Read more widely than most of his colleagues, the minister had a habit of quoting \
             poets in his speeches to parliament, to the dismay of his interpreters.",
            false,
        );
    }

    #[test]
    fn notices_of_embeds_and_cookies_are_furniture() {
        let check = |line: &str, expected: bool| assert_eq!(furniture(line), expected, "{line}");
        check("View this post on Instagram", true);
        check("Empfohlener redaktioneller Inhalt", true);
        check("Media caption, The harbour on Sunday", true);
        check("Source: Harbour authority", true);
        check("The crane fell on Sunday. Jo Hill/USA TODAY Sports", true);
        check("Continua depois da publicidade", true);
        let notice = "We use cookies to see which parts of our pages are read, and by how many. ";
        check(&notice.repeat(4), true);
        check("We use up to nine cookies as bait for the mice in our bakery, she said.", false);
        check("The bakery sold a thousand cookies on Sunday, which nobody had expected.", false);
        check("Sources close to the minister said that he would not go.", false);
        check("Sources: Navy to send two ships through the strait.", false);
        check("Source: Harbour authority of Serrano.", true);
        check("This video is no longer available.", true);
        check("This video is not from the strait, fact-checkers found.", false);
        check("This video shows how the crane fell.", false);
    }

    #[test]
    fn dates_and_names_before_a_text_go() {
        let check = |line: &str, expected: bool| assert_eq!(is_head(line), expected, "{line}");
        check("By Ida Berg", true);
        check("Von Ida Berg und Jo van Hill", true);
        check("Published 3 May 2026, 10:15 am", true);
        check("3. Mai 2026 um 10:15 Uhr", true);
        check("Stand: 03.05.2026, 10:15 Uhr", true);
        check("By Monday the ships had left", false);
        check("The fleet of 2026", false);
        check("Von der Leyen Meets Xi", false);
        check("World Cup 2026: 48", false);
        check("Sunday, 3 May 2026", true);
        check("Ships meet on the 20th, 3 hurt", false);
        check("In May 2026 the port was closed for 3 days", false);
        let prose = "The port was closed on Sunday after the storm had broken two of its cranes.";
        let story = format!("{prose}\n{prose} Again.\n{prose}\nBy Ida Berg");
        assert_eq!(clean(&format!("By Ida Berg\n3 May 2026\n{story}"), None), story);
    }

    #[test]
    fn what_follows_an_article_goes() {
        let prose = "The ministers spoke for two hours, and both sides said afterwards that the \
                     channel stays closed for the time being, which nobody had expected at all.";
        let text = format!(
            "A headline of the day\n{prose}\nAdvertisement\n{prose} Again.\nRelated articles\n\
             Another story\nA third one"
        );
        let cleaned = clean(&text, Some("A headline of the day"));
        assert_eq!(cleaned, format!("{prose}\n{prose} Again."));
    }

    #[test]
    fn a_text_that_is_mostly_furniture_stays() {
        let text = "Share\nPrint\nComments\nOne word.";
        assert_eq!(clean(text, None), text);
    }
}

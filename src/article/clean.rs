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
  advertisements?|ad|ads|anzeige|werbung|publicidad|publicidade|publicité|pubblicità|reklama|annons|advertisement[\ -]+(?:scroll|story\ continues|article\ continues).*|article\ continues\ (?:after|below).*|story\ continues\ below.*|sponsored(?:\ content)?|promoted|sponsored\ by.*|skip\ ad(?:vertisement)?|
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
  (?:photo|photograph|foto|fotos|image|bild|titelbild|bildnachweis|bildquelle|picture|crédits?(?:\ photos?)?|photo\ credit|image\ credit|credit|credits|screenshot|grafik|infografik|abbildung\ \d+)(?:\s*(?:\([^)]{0,30}\))?\s*[:：/©|]|\ (?:by|von|courtesy|via|credit)\b)|
  download\ (?:the|our)\ .{0,40}\bapp\b|(?:if\ you|for\ the\ latest|stay\ (?:up|informed|connected)|send\ us|contact\ us|have\ a\ (?:tip|story)|got\ a\ (?:tip|story)).{0,80}\b(?:newsletter|e-?mail|whatsapp|twitter|facebook|app|telegram|subscribe|sign\ up)
)",
    )
});
/// How the credit of a picture ends.
static CREDIT_END: LazyLock<Option<Regex>> = LazyLock::new(|| {
    pattern(
        r"(?i)(?:getty images|/\s*(?:afp|ap|reuters|dpa|epa|apa|efe|ansa|shutterstock|bloomberg|istock|imago|keystone|picture[- ]alliance)\b.{0,20}|\((?:photo|foto|image|bild|file photo)[:\s][^)]{0,60}\)|(?:ap|afp|reuters|epa) photo.{0,30}|via (?:ap|reuters|getty|afp)|©.{0,50})[\s).]*$",
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

/// Whether a line is furniture of the page.
fn furniture(line: &str) -> bool {
    let length = line.chars().count();
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
    if length <= 200 && holds(&START, line) {
        // A long sentence that merely begins like this is kept.
        return !(words.len() > 22 && holds(&PROSE_END, line));
    }
    length <= 160 && words.len() <= 30 && holds(&CREDIT_END, line)
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
        if furniture(line) || twice || (at < 3 && headline) {
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
    let mut seen = 0;
    for (at, line) in lines.iter().enumerate() {
        if seen * 100 > total * 65 && line.chars().count() <= 70 && holds(&TAIL, line) {
            let prose = |line: &&&str| {
                line.chars().count() > 160 && holds(&PROSE_END, line) && !furniture(line)
            };
            if !lines[at + 1..].iter().any(|line| prose(&line)) {
                return at;
            }
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
        for pattern in [&EXACT, &START, &CREDIT_END, &TAIL, &PROSE_END] {
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
        check("Soldiers at the gate on Monday. Jane Doe/Getty Images", true);
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

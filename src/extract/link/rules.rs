//! Query parameters that say where a reader came from, never what is shown.
//! `docs/links.md` describes the list for users: change both together.

/// On every site; lower case, sorted.
pub(super) const ANYWHERE: [&str; 126] = [
    "__hsfp",
    "__hssc",
    "__hstc",
    "__s",
    "__tn__",
    "__twitter_impression",
    "_ft_",
    "_ga",
    "_gl",
    "_guc_consent_skip",
    "_hsenc",
    "_hsmi",
    "_openstat",
    "_ss",
    "_unique_id",
    "amp_analytics",
    "amp_gsa",
    "amp_js_v",
    "at_campaign",
    "at_campaign_type",
    "at_creation",
    "at_emailtype",
    "at_format",
    "at_link_id",
    "at_link_origin",
    "at_link_type",
    "at_medium",
    "at_ptr_name",
    "at_recipient_id",
    "at_recipient_list",
    "at_send_date",
    "at_variant",
    "bxid",
    "cm_mmc",
    "cm_mmca1",
    "cmp",
    "cmpid",
    "cndid",
    "dclid",
    "dgcid",
    "dm_i",
    "echobox",
    "ef_id",
    "epik",
    "esrc",
    "fb_ref",
    "fb_source",
    "fbclid",
    "fromref",
    "ftag",
    "gad_campaignid",
    "gad_source",
    "gbraid",
    "gclid",
    "gclsrc",
    "gi",
    "guccounter",
    "guce_referrer",
    "guce_referrer_sig",
    "hsctatracking",
    "icid",
    "igsh",
    "igshid",
    "int_cmp",
    "intcid",
    "intcmp",
    "irclickid",
    "irgwc",
    "li_fat_id",
    "mbid",
    "mc_cid",
    "mc_eid",
    "mc_tc",
    "mibextid",
    "mkt_tok",
    "ml_subscriber",
    "ml_subscriber_hash",
    "msclkid",
    "ncid",
    "ns_campaign",
    "ns_fee",
    "ns_linkname",
    "ns_mchannel",
    "ns_source",
    "oly_anon_id",
    "oly_enc_id",
    "partner",
    "pk_campaign",
    "pk_cid",
    "pk_content",
    "pk_keyword",
    "pk_kwd",
    "pk_medium",
    "pk_source",
    "rb_clickid",
    "rdt_cid",
    "referringsource",
    "s_cid",
    "s_kwcid",
    "sc_campaign",
    "sc_channel",
    "sc_cid",
    "sccid",
    "smid",
    "smtyp",
    "spm",
    "srnd",
    "srsltid",
    "tracking_source",
    "ttclid",
    "twclid",
    "vero_conv",
    "vero_id",
    "wbraid",
    "wickedid",
    "wt_mc",
    "wt_zmc",
    "wtrid",
    "xtcr",
    "xtloc",
    "xtnp",
    "xtor",
    "xtref",
    "xts",
    "yclid",
    "ysclid",
];

/// Beginnings of names, on every site.
pub(super) const FAMILIES: [&str; 12] = [
    "__cft__",
    "at_custom",
    "fb_action_",
    "ga_",
    "hmb_",
    "hsa_",
    "itm_",
    "mtm_",
    "otm_",
    "trk_",
    "utm_",
    "wt.",
];

/// Names that say where from if their value does; sorted.
pub(super) const ORIGINS: [&str; 9] =
    ["feature", "fref", "from", "medium", "origin", "ref", "source", "src", "via"];

/// Values that say where from; sorted.
pub(super) const FROM: [&str; 18] = [
    "email",
    "facebook",
    "fb",
    "fb_i",
    "feed",
    "feedburner",
    "hootsuite",
    "newsletter",
    "rss",
    "rss_feed",
    "rssfeed",
    "ts",
    "tw",
    "tw_i",
    "twitter",
    "twtrec",
    "whatsapp",
    "youtu.be",
];

/// On one site and its subdomains; a trailing `*` stands for any ending.
/// Sorted by site.
pub(super) const SITES: &[(&str, &[&str])] = &[
    ("abcnews.go.com", &["cid"]),
    ("aliexpress.com", &["algo_*", "btsid", "pdp_*", "scm", "scm_id", "ws_ab_test"]),
    ("aljazeera.com", &["traffic_source"]),
    ("apple.com", &["at", "ct", "itscg", "itsct", "uo"]),
    ("asahi.com", &["iref", "ref"]),
    ("bbc.co.uk", &["at_*", "ocid"]),
    ("bbc.com", &["at_*", "ocid"]),
    ("biztoc.com", &["rd", "ref"]),
    ("bloomberg.com", &["in_source", "leadsource", "sref"]),
    ("businessinsider.com", &["ir", "op", "r"]),
    ("cbc.ca", &["cmp"]),
    ("cbsnews.com", &["linkid"]),
    ("cnn.com", &["eref", "iid", "rss"]),
    ("dailymail.co.uk", &["ito", "offset_comment"]),
    ("ebay.com", &["_trk*", "_trksid", "campid", "customid", "mkcid", "mkevt", "mkrid", "toolid"]),
    ("economist.com", &["fsrc"]),
    ("elpais.com", &["event_log", "id_externo_*", "prm", "ssm"]),
    ("engadget.com", &["src"]),
    ("epoznan.pl", &["rss"]),
    ("espn.com", &["ex_cid", "src"]),
    ("facebook.com", &["_rdc", "_rdr", "fref", "hc_location", "hc_ref", "ref", "refid", "refsrc"]),
    ("forbes.com", &["sh", "ss"]),
    ("ft.com", &["ftcamp", "segmentid", "sharetype"]),
    ("heise.de", &["wt_*"]),
    ("indiatimes.com", &["from"]),
    ("instagram.com", &["hl", "img_index"]),
    ("kommersant.ru", &["from"]),
    ("lemonde.fr", &["lmd_*", "platform"]),
    ("linkedin.com", &["lipi", "rcm", "refid", "trackingid", "trk", "trkinfo"]),
    ("medium.com", &["sk", "source"]),
    ("metro.co.uk", &["ito"]),
    ("msn.com", &["cvid", "ei", "li", "ocid", "pc", "srcref"]),
    ("nbcnews.com", &["cid"]),
    ("ndtv.com", &["pfrom"]),
    ("news.google.com", &["ceid", "gl", "hl", "oc"]),
    ("nikkei.com", &["n_cid"]),
    ("npr.org", &["f", "ft", "sc"]),
    ("nypost.com", &["lctg"]),
    (
        "nytimes.com",
        &[
            "_r",
            "campaign_id",
            "emc",
            "instance_id",
            "nl",
            "ref",
            "referer",
            "regi_id",
            "rref",
            "searchresultposition",
            "segment_id",
            "te",
            "unlocked_article_code",
            "user_id",
        ],
    ),
    ("politico.com", &["nid", "nlid", "nname", "nrid"]),
    ("politico.eu", &["nid", "nlid", "nname", "nrid"]),
    ("rbc.ru", &["from"]),
    ("reddit.com", &["rdt", "ref", "ref_source", "share_id"]),
    ("repubblica.it", &["ref", "rss"]),
    ("reuters.com", &["edition-redirect", "feedname", "feedtype", "rpc", "taid"]),
    ("science.org", &["af", "cookieset"]),
    ("scmp.com", &["campaign", "module", "pgtype"]),
    ("sky.com", &["dcmp"]),
    ("smh.com.au", &["btis", "ref"]),
    ("spiegel.de", &["sara_ref"]),
    ("spotify.com", &["context", "si"]),
    ("sueddeutsche.de", &["reduced"]),
    ("tandfonline.com", &["af", "ai", "mi"]),
    ("techcrunch.com", &["guce_*"]),
    ("telegraph.co.uk", &["li_medium", "li_source", "wgu"]),
    ("tiktok.com", &["_r", "_t", "is_copy_url", "is_from_webapp", "sender_device"]),
    ("tvn24.pl", &["source", "source_id"]),
    ("twitter.com", &["cxt", "ref_src", "ref_url", "s", "t"]),
    ("washingtonpost.com", &["itid", "pwapi_token", "tid", "wpisrc", "wpmk"]),
    ("wiley.com", &["af"]),
    ("wsj.com", &["mod", "reflink", "st"]),
    ("x.com", &["cxt", "ref_src", "ref_url", "s", "t"]),
    ("yahoo.com", &[".tsrc", "guc*", "soc_src", "soc_trk"]),
    ("youtube.com", &["ab_channel", "cbrd", "feature", "pp", "si", "ucbcb"]),
    ("zeit.de", &["wt_*"]),
];

/// Amazon's shops, under many country domains.
pub(super) const AMAZON: &[&str] = &[
    "ascsubtag",
    "camp",
    "creative",
    "crid",
    "dib",
    "dib_tag",
    "keywords",
    "linkcode",
    "linkid",
    "pd_rd_*",
    "pf_rd_*",
    "psc",
    "qid",
    "ref",
    "ref_",
    "social_share",
    "sprefix",
    "sr",
    "tag",
];

/// Whether a parameter, its name in lower case, only says where from.
pub(super) fn is_tracking(host: &str, name: &str, value: &str) -> bool {
    ANYWHERE.binary_search(&name).is_ok()
        || FAMILIES.iter().any(|family| name.starts_with(family))
        || of_site(host).iter().any(|rule| match rule.strip_suffix('*') {
            Some(beginning) => name.starts_with(beginning),
            None => *rule == name,
        })
        || ORIGINS.binary_search(&name).is_ok() && says_where_from(name, value)
}

fn says_where_from(name: &str, value: &str) -> bool {
    let lower = value.to_ascii_lowercase();
    // Ghost and others write the site that sent the reader: `ref=example.org`.
    let site = name == "ref"
        && lower.contains('.')
        && lower.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-'));
    site || FROM.binary_search(&lower.as_str()).is_ok()
}

/// The parameters of a site: those of the longest domain that has any.
fn of_site(host: &str) -> &'static [&'static str] {
    let mut domain = host;
    loop {
        if let Ok(at) = SITES.binary_search_by_key(&domain, |(site, _)| site) {
            return SITES[at].1;
        }
        if domain.starts_with("amazon.") {
            return AMAZON;
        }
        match domain.split_once('.') {
            Some((_, parent)) => domain = parent,
            None => return &[],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lists_are_sorted_so_that_they_can_be_searched() {
        for list in [&ANYWHERE[..], &FAMILIES, &ORIGINS, &FROM, AMAZON] {
            assert_eq!(list.windows(2).find(|pair| pair[0] >= pair[1]), None);
        }
        assert_eq!(SITES.windows(2).find(|pair| pair[0].0 >= pair[1].0), None);
        for (site, names) in SITES {
            assert!(names.is_sorted(), "{site}");
            assert!(names.iter().all(|name| *name == name.to_ascii_lowercase()), "{site}");
        }
    }

    #[test]
    fn what_names_a_page_is_no_tracking() {
        for name in [
            "id", "p", "story", "v", "q", "page", "lang", "article", "tid", "t", "s", "cid",
            "date", "section", "year", "url", "type", "sort", "code", "key", "no", "aid", "gid",
            "guid",
        ] {
            assert!(!is_tracking("example.org", name, "7"), "{name}");
        }
        assert!(!is_tracking("youtube.com", "v", "x"));
        assert!(!is_tracking("abcnews.go.com", "id", "7"));
        assert!(!is_tracking("example.org", "ref", "a/b.html"));
        assert!(!is_tracking("notwsj.com", "mod", "7"));
    }
}

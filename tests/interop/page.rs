//! Exports of `inspect` in other programs: archives against the schema of HAR 1.2, pages in a browser.

use serde_json::{Value, json};

use super::peers;
use super::run;
use crate::inspect::captured::Captured;
use crate::support::program::hookctl;

/// A journal with a delivery that attacks the page.
fn journal() -> Captured {
    let mut lines = Captured::journal().lines;
    let mut hostile: Value = serde_json::from_str(&lines[0]).unwrap();
    let body = json!({
        "id": "</script><script>window.hacked = 'id'</script>", "status": "processing", "metrics": {},
        "error": "it said \"über\"",
        "logs": "<img src=x onerror=\"window.hacked='img'\"> \u{2028} \u{202e} ' \" --> ]]>",
        "<script>window.hacked='key'</script>": ["<a href='javascript:window.hacked=1'>", 12345678901234567890_u64, {"deep": [null, true]}],
    });
    // As Python writes it.
    hostile["body"] = body.to_string().replace('ü', "\\u00fc").into();
    hostile["headers"] = json!([["x-odd", "<script>window.hacked='header'</script>"]]);
    hostile["target"] = "/<script>window.hacked='target'</script>".into();
    lines.push(hostile.to_string());
    Captured::of(lines)
}

#[test]
#[ignore = "needs what tests/interop/peers/install.sh installs"]
fn an_archive_is_valid_by_the_schema() {
    const CHECK: &str = r#"
        import { createRequire } from "node:module";
        const require = createRequire(process.cwd() + "/");
        const Ajv = require("ajv");
        const schemas = require("har-schema");
        const ajv = new Ajv({ allErrors: true });
        ajv.addMetaSchema(require("ajv/lib/refs/json-schema-draft-06.json"));
        Object.values(schemas).forEach((schema) => ajv.addSchema(schema));
        let text = "";
        for await (const part of process.stdin) text += part;
        const valid = ajv.validate("har.json", JSON.parse(text));
        console.log(valid ? "valid" : JSON.stringify(ajv.errors));
    "#;
    let journal = journal();
    for filter in [&[][..], &["--status", "failed"], &["--id", "nobody"]] {
        let har = hookctl([&["inspect", journal.path(), "--export", "har"], filter].concat()).exits(0).stdout;
        assert_eq!(peers::node(CHECK, &[], har.as_bytes()), "valid", "{filter:?}");
    }
}

#[test]
#[ignore = "needs chromium and what tests/interop/peers/install.sh installs"]
fn a_page_works_in_a_browser_and_runs_nothing_from_outside() {
    let journal = journal();
    let page = journal.file("page.html");
    hookctl(["inspect", journal.path(), "--html", &page]).exits(0);
    let chromium = run("sh", &["-c", "command -v chromium || command -v google-chrome"], b"");
    let told = peers::node(include_str!("peers/page.mjs"), &[&chromium, &page], b"");
    let told: Value = serde_json::from_str(&told).unwrap();
    assert_eq!(told["requests"], json!([format!("file://{page}")]), "nothing is fetched");
    assert_eq!(told["complaints"], json!([]));
    assert_eq!(told["rows"], json!((1..=20).collect::<Vec<_>>()));
    assert_eq!(told["stories"], 5);
    let opened = told["opened"].as_str().unwrap();
    for part in [
        "Delivery #7: processing piter-success",
        "POST /webhook/prediction",
        "overtaken",
        "coglet/0.23.1",
        "chunk 1",
        "200",
    ] {
        assert!(opened.contains(part), "no {part} in {opened}");
    }
    assert_eq!((&told["focused"], &told["closed"]), (&json!("detail-title"), &json!(true)));
    assert_eq!(told["went"], json!(["Delivery #9: processing piter-success", "9 of 20"]));
    assert_eq!((&told["failed"], &told["failed_stories"]), (&json!([14]), &json!(["ptext-failure"])));
    assert_eq!((&told["unescaped"], &told["remarked"]), (&json!([20]), &json!([7])));
    assert_eq!(told["none"], json!(["No delivery matches.", [], true]));
    assert_eq!(told["unanswered"], json!([15, 16]));
    assert_eq!(told["widths"], json!([390, 800, 1280]), "no horizontal scrolling");
    assert_eq!((&told["found"], &told["count"]), (&json!([8, 9, 10]), &json!("3 of 20")));
    assert_eq!(told["warned"], json!([7]));
    let hostile = told["hostile"].as_str().unwrap();
    for part in [
        "<script>window.hacked = 'id'</script>",
        "<img src=x onerror=",
        "\\u{2028} \\u{202e}",
        "<script>window.hacked='header'</script>",
    ] {
        assert!(hostile.contains(part), "no {part} in {hostile}");
    }
    assert_eq!((&told["hacked"], &told["scripts"]), (&Value::Null, &json!(2)));
    assert!(told["from_story"].as_str().unwrap().starts_with("Delivery #1:"), "{told}");
    assert_ne!(told["light"], told["dark"]);
}

#[test]
#[ignore = "needs chromium and what tests/interop/peers/install.sh installs"]
fn the_page_of_a_drill_names_its_cases_and_marks_failures_only() {
    const LOOK: &str = r##"
        import { launch } from "puppeteer-core";
        const [executablePath, page] = process.argv.slice(-2);
        const browser = await launch({ executablePath, pipe: true, args: ["--no-sandbox", "--disable-gpu"] });
        const tab = await browser.newPage();
        await tab.goto("file://" + page);
        const rows = await tab.$$eval("#rows tr[data-number]", (rows) => rows.map((row) =>
            [row.querySelector(".notes").innerText, row.querySelectorAll(".bad").length > 0]));
        console.log(JSON.stringify({ rows, title: await tab.title(), heading: await tab.$eval("h1", (h1) => h1.innerText) }));
        await browser.close();
    "##;
    let line = |case: &str, wanted: &str, verdict: Value, status: u16| {
        json!({
            "type": "delivery", "v": 1, "seq": 1, "id": case, "direction": "sent", "at": "2026-11-20T21:23:21.724722Z",
            "method": "POST", "target": "/", "http": "1.1", "headers": [], "body": "{}", "signature": verdict,
            "answer": {"status": status, "by": "receiver", "ms": 1.0}, "attempt": 1, "of": 1, "url": "http://localhost/",
            "outcome": "answered", "error": null, "case": case, "expect_status": wanted,
        })
        .to_string()
    };
    let forged = || json!({"verdict": "invalid", "scheme": "eachlabs", "reason": "wrong_secret", "hint": "compare"});
    let good = || json!({"verdict": "verified", "scheme": "eachlabs", "secret": "main"});
    let journal = Captured::of(vec![
        line("good", "2xx", good(), 200),
        line("tampered body", "4xx", forged(), 401),
        line("wrong secret", "4xx", forged(), 200),
        line("unknown status", "2xx", good(), 500),
    ]);
    let page = journal.file("page.html");
    hookctl(["inspect", journal.path(), "--html", &page]).exits(0);
    let chromium = run("sh", &["-c", "command -v chromium || command -v google-chrome"], b"");
    let told: Value = serde_json::from_str(&peers::node(LOOK, &[&chromium, &page], b"")).unwrap();
    assert_eq!(
        (&told["title"], &told["heading"]),
        (&json!("hookctl: deliveries of a drill"), &json!("Deliveries of a drill"))
    );
    let rows: Vec<_> = told["rows"].as_array().unwrap().iter().map(|row| (row[0].as_str().unwrap(), &row[1])).collect();
    assert!(
        rows.iter().map(|(remarks, _)| remarks.split_whitespace().next()).eq([
            Some("good"),
            Some("tampered"),
            Some("wrong"),
            Some("unknown")
        ]),
        "{told}"
    );
    assert!(
        rows.iter().map(|(_, is_red)| *is_red).eq([&json!(false), &json!(false), &json!(true), &json!(true)]),
        "{told}"
    );
}

//! The page in a real headless browser: the Chromium in `STYLIZE_VIDEO_TEST_BROWSER`.

use std::path::{Path, PathBuf};
use std::process::Command;

use assert_cmd::cargo::cargo_bin;

use crate::explore::command::material;

fn browser() -> PathBuf {
    let named = std::env::var_os("STYLIZE_VIDEO_TEST_BROWSER");
    let browser = PathBuf::from(named.expect("set STYLIZE_VIDEO_TEST_BROWSER to an installed Chromium"));
    assert!(browser.is_file(), "STYLIZE_VIDEO_TEST_BROWSER: there is no file {}", browser.display());
    browser
}

/// Runs the browser on `url` and returns its stdout and stderr.
fn visit(browser: &Path, profile: &Path, url: &str, arguments: &[&str]) -> (String, String) {
    let done = Command::new(browser)
        .args(["--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--window-size=1280,1400"])
        .args(["--enable-logging=stderr", "--v=0", "--virtual-time-budget=20000", "--no-first-run"])
        .arg(format!("--user-data-dir={}", profile.display()))
        .args(arguments)
        .arg(url)
        .output()
        .unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(done.status.success(), "{}", text(&done.stderr));
    (text(&done.stdout), text(&done.stderr))
}

/// A script added to a copy of the page: opens a unit by a click, moves to the next by a key, and records errors.
const HAND: &str = "<script>
const wrong = [];
addEventListener('error', (event) => wrong.push(event.message || 'a file did not load'), true);
addEventListener('load', () => {
  const press = (key) => document.activeElement.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true }));
  const told = [];
  document.querySelector('.units button').click();
  told.push(document.querySelector('dialog[open] h3').textContent);
  press('ArrowRight');
  told.push(document.querySelector('dialog[open] h3').textContent);
  document.querySelector('dialog').close();
  // The focus comes back when the browser gets to it.
  const back = setInterval(() => {
    if (!document.activeElement.getAttribute('aria-label')) return;
    clearInterval(back);
    told.push(document.activeElement.getAttribute('aria-label'));
    press('ArrowLeft');
    told.push(document.activeElement.getAttribute('aria-label'));
    const load = (source) => new Promise((done) => {
      const image = new Image();
      image.onload = () => done();
      image.onerror = () => done(wrong.push('a sheet did not load'));
      image.src = source;
    });
    Promise.all([...document.images].map((image) => load(image.src))).then((all) => {
      const text = JSON.stringify({ told, wrong, sheets: all.length });
      document.body.insertAdjacentHTML('beforeend', `<output>${text}</output>`);
    });
  }, 20);
});
</script>";

#[test]
#[ignore = "needs STYLIZE_VIDEO_TEST_BROWSER"]
fn the_page_works_in_a_browser() {
    let browser = browser();
    let desk = tempfile::tempdir().unwrap();
    material(desk.path());
    let made = Command::new(cargo_bin("stylize-video"))
        .args(["layers", "in", "--backbone", "patches", "--layers", "relu1,relu2", "--every", "5", "-o", "o #ut"])
        .env("XDG_CONFIG_HOME", desk.path())
        .env("OMP_NUM_THREADS", "1")
        .current_dir(desk.path())
        .output()
        .unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let out = desk.path().join("o #ut");
    let profile = desk.path().join("profile");
    let url = |name: &str| format!("file://{}/o%20%23ut/{name}", desk.path().display());

    let page = std::fs::read_to_string(out.join("index.html")).unwrap();
    std::fs::write(out.join("hand.html"), page.replace("<script id=\"data\"", &format!("{HAND}<script id=\"data\"")))
        .unwrap();
    // The browser's virtual time does not wait for pictures that load slowly on a busy machine, so the visit is
    // retried.
    let ended = (0..12).find_map(|_| {
        let (dom, log) = visit(&browser, &profile, &url("hand.html"), &["--dump-dom"]);
        let console: Vec<&str> = log.lines().filter(|line| line.contains("CONSOLE")).collect();
        assert!(console.is_empty(), "{console:?}");
        let (_, rest) = dom.rsplit_once("<output>")?;
        let (noted, _) = rest.split_once("</output>")?;
        // Until the script has ended, only its own source contains the marker.
        (!noted.starts_with('$')).then(|| noted.replace("&amp;", "&"))
    });
    let noted: serde_json::Value = serde_json::from_str(&ended.expect("the script ended")).unwrap();
    assert_eq!(noted["wrong"], serde_json::json!([]));
    assert_eq!(noted["sheets"], 2);
    let told: Vec<&str> = noted["told"].as_array().unwrap().iter().map(|told| told.as_str().unwrap()).collect();
    let named = |text: &str| text.split([',', '(']).take(2).map(str::trim).collect::<Vec<_>>().join(", ");
    assert!(told.iter().all(|text| text.starts_with("relu1, unit ")), "{told:?}");
    assert_ne!(named(told[0]), named(told[1]), "the key shows the next unit");
    assert_eq!(named(told[1]), named(told[2]), "closing gives the focus back to the unit");
    assert_eq!(named(told[0]), named(told[3]), "keys go from unit to unit");

    // A link to a unit opens the unit with its nine values.
    let unit = named(told[0]).rsplit(' ').next().unwrap().to_owned();
    let (dom, _) = visit(&browser, &profile, &url(&format!("index.html#relu1/{unit}")), &["--dump-dom"]);
    let dialog = dom.split_once("<dialog").and_then(|(_, rest)| rest.split_once("</dialog>")).unwrap().0;
    assert!(dialog.contains("open"), "the dialog is open");
    assert!(dialog.contains("clip.mp4") && dialog.contains("0:00:0"), "source and time code: {dialog}");
    assert!(dialog.matches("<tr>").count() >= 4, "{dialog}");

    let shot = desk.path().join("page.png");
    let keep = std::env::var_os("STYLIZE_VIDEO_TEST_SCREENSHOT").map_or(shot, PathBuf::from);
    visit(
        &browser,
        &profile,
        &url(&format!("index.html#relu1/{unit}")),
        &[&format!("--screenshot={}", keep.display())],
    );
    let picture = image::open(&keep).unwrap().to_rgb8();
    assert_eq!(picture.width(), 1280);
    let colours: std::collections::BTreeSet<[u8; 3]> = picture.pixels().map(|pixel| pixel.0).collect();
    assert!(colours.len() > 500, "only {} colours: nothing is shown", colours.len());
}

use super::super::operations::faults;
use super::*;
use std::fs;

fn fill(place: &Path, force: bool, text: &str) -> Result<Folder, FolderError> {
    let folder = Folder::create(place, force)?;
    folder.write("scenario.ron", text.as_bytes())?;
    folder.write("data/flow.npz", text.as_bytes())?;
    Ok(folder)
}

fn run(place: &Path, force: bool, text: &str) -> Result<(), FolderError> {
    fill(place, force, text)?.finish()
}

/// The text of a whole run at `place`.
fn held(place: &Path) -> Option<String> {
    let marker = Marker::of(place)?;
    assert!(marker.is_whole(place), "a run with its name is not whole");
    let read = |name| fs::read_to_string(place.join(name)).unwrap();
    assert_eq!(read("scenario.ron"), read("data/flow.npz"));
    Some(read("scenario.ron"))
}

fn entries(folder: &Path) -> usize {
    fs::read_dir(folder).unwrap().count()
}

#[test]
fn an_earlier_run_is_kept_until_a_complete_one_replaces_it() {
    let temporary = tempfile::tempdir().unwrap();
    let place = temporary.path().join("a");
    run(&place, false, "first").unwrap();
    assert!(matches!(
        fill(&place, false, "second"),
        Err(FolderError::Exists(_))
    ));
    let unfinished = fill(&place, true, "second").unwrap();
    assert_eq!(held(&place).as_deref(), Some("first"));
    unfinished.finish().unwrap();
    assert_eq!(held(&place).as_deref(), Some("second"));
    assert_eq!(entries(temporary.path()), 1);
}

#[test]
fn force_does_not_delete_what_is_not_a_run_or_what_its_run_did_not_write() {
    let temporary = tempfile::tempdir().unwrap();
    let place = temporary.path().join("a");
    fs::create_dir(&place).unwrap();
    fs::write(place.join("scenario.ron"), "by mirrorflow new").unwrap();
    assert!(matches!(
        fill(&place, true, ""),
        Err(FolderError::Foreign(_))
    ));
    fs::remove_dir_all(&place).unwrap();
    run(&place, false, "first").unwrap();
    fs::write(place.join("data/thesis.tex"), "years of work").unwrap();
    let Err(FolderError::ForeignFile(_, name)) = fill(&place, true, "") else {
        panic!("not refused");
    };
    assert_eq!(name, "data/thesis.tex");
    assert_eq!(held(&place).as_deref(), Some("first"));
}

#[test]
fn a_run_that_did_not_finish_is_replaced_unasked() {
    let temporary = tempfile::tempdir().unwrap();
    let place = temporary.path().join("a");
    for status in ["failed", "interrupted"] {
        let folder = fill(&place, false, "first").unwrap();
        let provenance = format!("{{\"status\": \"{status}\"}}");
        folder
            .write("provenance.json", provenance.as_bytes())
            .unwrap();
        folder.finish().unwrap();
    }
    run(&place, false, "second").unwrap();
    assert_eq!(held(&place).as_deref(), Some("second"));
    assert!(matches!(
        fill(&place, false, ""),
        Err(FolderError::Exists(_))
    ));
}

#[test]
fn the_second_run_into_a_place_is_told_of_the_first() {
    let temporary = tempfile::tempdir().unwrap();
    let place = temporary.path().join("a");
    let first = fill(&place, false, "first").unwrap();
    for refused in [
        fill(&place, true, "").map(drop),
        Folder::check(&place, true, &[]),
    ] {
        let refused = refused.unwrap_err();
        assert_eq!(refused.exit_code(), 5);
        assert!(
            refused
                .to_string()
                .contains(&std::process::id().to_string())
        );
    }
    first.finish().unwrap();
    assert_eq!(held(&place).as_deref(), Some("first"));
}

#[test]
fn what_appears_during_the_run_stays_and_the_results_are_kept() {
    let temporary = tempfile::tempdir().unwrap();
    let place = temporary.path().join("a");
    for (before, number) in [(false, 2), (true, 3)] {
        if before {
            fs::remove_dir_all(&place).unwrap();
            run(&place, true, "earlier").unwrap();
        }
        let folder = fill(&place, true, "results").unwrap();
        let _ = fs::remove_dir_all(&place);
        fs::create_dir(&place).unwrap();
        fs::write(place.join("mine"), "").unwrap();
        let Err(FolderError::Appeared { kept, .. }) = folder.finish() else {
            panic!("not said");
        };
        assert_eq!(kept, temporary.path().join(format!("a-{number}")));
        assert_eq!(held(&kept).as_deref(), Some("results"));
        assert!(place.join("mine").exists());
    }
}

#[test]
fn a_folder_that_lost_a_file_does_not_get_its_name() {
    let temporary = tempfile::tempdir().unwrap();
    let place = temporary.path().join("a");
    let folder = fill(&place, false, "first").unwrap();
    fs::remove_file(folder.working.join("data/flow.npz")).unwrap();
    let error = folder.finish().unwrap_err();
    assert_eq!(error.exit_code(), 5);
    assert!(
        error
            .to_string()
            .contains("data/flow.npz was written and is gone")
    );
    assert!(!place.exists());
}

#[cfg(unix)]
#[test]
fn a_link_is_followed() {
    let temporary = tempfile::tempdir().unwrap();
    let (place, link) = (
        temporary.path().join("disk/a"),
        temporary.path().join("link"),
    );
    std::os::unix::fs::symlink("disk/a", &link).unwrap();
    for text in ["first", "second"] {
        run(&link, true, text).unwrap();
        assert_eq!(held(&place).as_deref(), Some(text));
        assert!(link.is_symlink());
    }
}

#[test]
fn what_only_looks_like_ours_is_not_deleted() {
    let temporary = tempfile::tempdir().unwrap();
    let place = temporary.path().join("a");
    let names = [
        "a.old",
        "a.partial",
        ".mirrorflow-a-0123456789ab",
        ".mirrorflow-a-notes",
    ];
    for name in names {
        fs::create_dir(temporary.path().join(name)).unwrap();
        fs::write(temporary.path().join(name).join("mine"), "").unwrap();
    }
    run(&place, true, "first").unwrap();
    run(&place, true, "second").unwrap();
    for name in names {
        assert!(temporary.path().join(name).join("mine").exists(), "{name}");
    }
}

#[test]
fn the_folder_of_the_scenario_is_not_replaced() {
    let temporary = tempfile::tempdir().unwrap();
    let place = temporary.path().join("a");
    run(&place, false, "first").unwrap();
    let refused = Folder::check(&place, true, &[place.join("scenario.ron")]);
    assert!(matches!(refused, Err(FolderError::HoldsScenario(..))));
}

/// Killed before each operation in turn, with and without a file system that exchanges names: the old or the new run is whole, under its
/// name or, killed between two renames, put back by the next run, which leaves nothing else.
#[test]
fn a_kill_before_any_operation_loses_nothing() {
    for exchanges in [true, false] {
        faults::exchanges(exchanges);
        let mut kills = 0;
        loop {
            let temporary = tempfile::tempdir().unwrap();
            let place = temporary.path().join("a");
            run(&place, false, "old").unwrap();
            faults::kill_after(kills);
            let outcome = run(&place, true, "new");
            if !faults::revive() {
                assert!(outcome.is_ok());
                break;
            }
            kills += 1;
            let found = held(&place);
            assert!(
                found.is_some() || !exchanges,
                "nothing has the name, kill {kills}"
            );
            Folder::check(&place, true, &[]).unwrap();
            let found = held(&place).expect("a run is put back");
            assert!(found == "old" || found == "new");
            assert_eq!(
                entries(temporary.path()),
                1,
                "kill {kills} leaves something"
            );
        }
        assert!(kills >= 8, "{kills}");
    }
    faults::exchanges(true);
}

//! The watcher's results about motion: steps across flashes, longer distances, and flow from files.

use std::path::Path;
use std::sync::Mutex;

use stylize_video::media::Pixels;
use stylize_video::motion::{
    Consistency, FloFiles, FlowError, FlowEstimator, FlowField, Shot, Transition, View, Wanted, Watched, flo, watch,
};

use crate::motion::synth::{HEIGHT, Motion, WIDTH};

const PAN: Motion = Motion::Pan([2.0, -1.0]);

/// Provides exact flow and records the requested pairs, counted from 0.
#[derive(Default)]
struct Known(std::sync::Arc<Mutex<Vec<(u64, u64)>>>);

impl FlowEstimator for Known {
    fn flow(&self, from: View<'_>, to: View<'_>) -> Result<FlowField, FlowError> {
        self.0.lock().unwrap().push((from.number, to.number));
        Ok(PAN.flow(from.number as usize, to.number as usize))
    }
}

fn watched(frames: &[Pixels], wanted: Wanted) -> Result<Vec<Watched>, FlowError> {
    let (mut prefetch, mut watcher) = watch(wanted)?;
    let mut all = Vec::new();
    for (t, frame) in frames.iter().enumerate() {
        all.extend(watcher.next(prefetch.look(frame, t as f64))?);
    }
    all.extend(watcher.finish()?);
    Ok(all)
}

fn transitions(frames: &[Pixels], wanted: Wanted) -> Vec<Transition> {
    watched(frames, wanted).unwrap().into_iter().map(|watched| watched.transition).collect()
}

fn pan(frames: usize) -> Vec<Pixels> {
    (0..frames).map(|t| PAN.frame(t)).collect()
}

fn white() -> Pixels {
    Pixels { rgb: vec![1.0; 3 * WIDTH * HEIGHT], ..Pixels::black(WIDTH, HEIGHT) }
}

/// Returns the vector in the middle of a step's flow to the earlier frame.
fn back(transition: &Transition) -> [f32; 2] {
    transition.step.as_ref().unwrap().back.at(WIDTH / 2, HEIGHT / 2)
}

fn files(folder: &Path, pairs: &[(usize, usize)]) -> FloFiles {
    let files = FloFiles::new(&folder.join("f_%d_%d.flo")).unwrap();
    for &(i, j) in pairs {
        flo::write(&files.path(i as u64, j as u64), &PAN.flow(i, j)).unwrap();
        flo::write(&files.path(j as u64, i as u64), &PAN.flow(j, i)).unwrap();
    }
    files
}

#[test]
fn each_step_leads_to_the_frame_before() {
    let all = transitions(&pan(5), Wanted { flow: Some(Box::<Known>::default()), ..Wanted::default() });
    assert_eq!((all[0].shot, all[0].step.is_none()), (Shot::New, true));
    for transition in &all[1..] {
        assert_eq!((transition.shot, back(transition)), (Shot::Continues, [-2.0, 1.0]));
        assert!(transition.far.is_empty());
    }
}

#[test]
fn the_step_after_a_flash_leads_around_it() {
    let mut frames = pan(6);
    frames[3] = white();
    let all = transitions(&frames, Wanted { flow: Some(Box::<Known>::default()), ..Wanted::default() });
    assert_eq!((all[3].shot, all[3].step.is_none()), (Shot::Flash, true));
    assert_eq!((all[4].shot, back(&all[4])), (Shot::Continues, [-4.0, 2.0]));
    assert_eq!(back(&all[5]), [-2.0, 1.0]);
    // Flow files cannot skip a flash: the two steps through it are composed.
    let folder = tempfile::tempdir().unwrap();
    let files = files(folder.path(), &[(0, 1), (1, 2), (2, 3), (3, 4), (4, 5)]);
    let all = transitions(&frames, Wanted { flow: Some(Box::new(files)), ..Wanted::default() });
    assert_eq!((all[4].shot, back(&all[4])), (Shot::Continues, [-4.0, 2.0]));
}

#[test]
fn no_flow_is_needed_across_a_cut() {
    let folder = tempfile::tempdir().unwrap();
    let flow = || Some(Box::new(files(folder.path(), &[(0, 1), (2, 3)])) as Box<dyn FlowEstimator>);
    let mut frames = pan(4);
    frames[2..].iter_mut().for_each(|frame| frame.rgb.iter_mut().for_each(|value| *value = 0.2 * *value + 0.8));
    let all = transitions(&frames, Wanted { flow: flow(), ..Wanted::default() });
    assert_eq!(
        all.iter().map(|transition| transition.shot == Shot::New).collect::<Vec<_>>(),
        [true, false, true, false]
    );
    // Within a shot, a missing file is an error.
    let error = watched(&pan(4), Wanted { flow: flow(), ..Wanted::default() }).unwrap_err().to_string();
    assert!(error.contains(".flo: the flow file cannot be read"), "{error}");
    // Flow of another shape is rejected.
    let files = files(folder.path(), &[(0, 1)]);
    flo::write(&files.path(1, 0), &FlowField::still(64, 64)).unwrap();
    let error = watched(&pan(2), Wanted { flow: Some(Box::new(files)), ..Wanted::default() });
    assert!(matches!(error, Err(FlowError::Shape { .. })));
}

#[test]
fn direct_motion_reaches_back_within_the_shot() {
    let mut frames = pan(14);
    frames[5] = white();
    let asked = std::sync::Arc::default();
    let known = Known(std::sync::Arc::clone(&asked));
    let all = transitions(&frames, Wanted { flow: Some(Box::new(known)), far: vec![1, 3, 10], ..Wanted::default() });
    let offsets = |t: usize| all[t].far.iter().map(|(offset, _)| *offset).collect::<Vec<_>>();
    assert_eq!((offsets(2), offsets(3), offsets(5)), (vec![], vec![3], vec![]));
    // The flash does not count: three frames before frame 6 in the chain is frame 2.
    let far = |t: usize, n: usize| all[t].far[n].1.back.at(WIDTH / 2, HEIGHT / 2);
    assert_eq!((offsets(6), far(6, 0)), (vec![3], [-8.0, 4.0]));
    assert_eq!((offsets(12), far(12, 1)), (vec![3, 10], [-22.0, 11.0]));
    let asked: &Vec<(u64, u64)> = &asked.lock().unwrap();
    assert!(asked.contains(&(6, 2)) && asked.contains(&(2, 6)) && !asked.contains(&(7, 5)), "{asked:?}");
    // Where files are missing, flow is composed.
    let folder = tempfile::tempdir().unwrap();
    let files = files(folder.path(), &[(0, 1), (1, 2), (2, 3), (3, 4), (4, 1)]);
    let all = transitions(&pan(5), Wanted { flow: Some(Box::new(files)), far: vec![3], ..Wanted::default() });
    assert_eq!((all[3].far.len(), all[4].far.len()), (0, 1));
}

#[test]
fn a_listed_cut_is_all_there_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cuts.txt");
    std::fs::write(&path, "3\n4.5 # that is frame 6\n").unwrap();
    let list = stylize_video::motion::CutList::read(&path, Default::default()).unwrap();
    let mut frames = pan(8);
    frames[4] = white();
    let wanted = Wanted { flow: Some(Box::<Known>::default()), list: Some(list), ..Wanted::default() };
    let shots: Vec<Shot> = transitions(&frames, wanted).iter().map(|transition| transition.shot).collect();
    let new: Vec<usize> = (0..8).filter(|&t| shots[t] == Shot::New).collect();
    assert_eq!(new, [0, 2, 5]);
    assert!(!shots.contains(&Shot::Flash));
}

#[test]
fn the_rules_do_not_decide_where_shots_begin() {
    let strict = Consistency { absolute: 0.0, relative: 0.0, ..Consistency::default() };
    let cuts = || stylize_video::motion::estimate_cuts().unwrap();
    let shots: Vec<Shot> = transitions(&pan(4), Wanted { cuts: cuts(), rules: strict, ..Wanted::default() })
        .iter()
        .map(|a| a.shot)
        .collect();
    assert_eq!(shots, [Shot::New, Shot::Continues, Shot::Continues, Shot::Continues]);
}

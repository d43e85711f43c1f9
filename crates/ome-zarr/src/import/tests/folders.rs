//! Folders of planes, and what is found in a tree.

use super::{
    writer::{Page, file},
    *,
};

fn plane(value: u8) -> Vec<u8> {
    file(&[Page::grey(3, 2, 8).strips(2, vec![vec![value; 6]])], false, false)
}

fn tree(files: &[(&str, u8)]) -> Memory {
    Memory(files.iter().map(|(path, value)| ((*path).to_owned(), plane(*value))).collect())
}

#[test]
fn planes_are_put_together_by_their_names() {
    let files = [("d/e_z1_c0_t7.tif", 1), ("d/e_z0_c0_t7.tif", 0), ("d/e_z0_c2_t7.tif", 2), ("d/e_z1_c2_t7.tif", 3)];
    let mut memory = tree(&files);
    memory.0.insert("d/notes.txt".to_owned(), b"x".to_vec());
    let import = open(&memory.source(), "d").unwrap();
    let info = import.rasters[0].info();
    assert_eq!(info.shape, [1, 2, 2, 2, 3]);
    assert_eq!(info.name, "e");
    let planes: Vec<u8> = whole(import.rasters[0].as_ref()).chunks(6).map(|plane| plane[0]).collect();
    assert_eq!(planes, [0, 1, 2, 3]);
    assert_eq!(import.files.len(), 4);
}

#[test]
fn a_missing_plane_or_a_name_that_does_not_speak_is_an_error() {
    for (files, words) in [
        (&[("d/e_z0_t0.tif", 0), ("d/e_z1_t0.tif", 0), ("d/e_z0_t1.tif", 0)][..], "lacks the plane of time 1"),
        (&[("d/e_z0.tif", 0), ("d/other.tif", 0)], "'other.tif' does not say plainly"),
        (&[("d/e_z0.tif", 0), ("d/e_z00.tif", 0)], "claim the same plane"),
        (&[("d/e_z0.tif", 0), ("d/f_z0.tif", 0)], "no two files"),
        (&[("x/e_z0.tif", 0)], "no such file"),
    ] {
        let message = refusal(&tree(files).source(), "d");
        assert!(message.contains(words), "{message}");
    }
}

#[test]
fn plates_of_screening_microscopes_have_wells_and_fields() {
    let Some(root) = corpus("tiff/hcs") else { return };
    let source = folder(&root);
    let folders =
        "CV8000/CV8000-Minimal-DataSet-2C-3W-4S-FP2-stack_20230918_135839/CV8000-Minimal-DataSet-2C-3W-4S-FP2-stack";
    let import = open(&source, folders).unwrap();
    assert_eq!(import.rasters.len(), 12, "three wells of four fields");
    let info = import.rasters[5].info();
    assert_eq!(info.shape[..3], [1, 2, 4]);
    let field = info.field.clone().unwrap();
    assert_eq!((field.row.as_str(), field.column.as_str(), field.field), ("E", "03", 1));

    let import = open(&source, "ImageXpress_1well-3C-2S-Zmix-T/2024-04-22/1697").unwrap();
    assert_eq!(import.rasters.len(), 2);
    assert_eq!(import.rasters[0].info().shape, [2, 3, 1, 256, 256]);
    assert_eq!(import.rasters[0].info().pixel_size[4].as_ref().map(|(_, unit)| unit.as_str()), Some("micrometer"));
    let first = "ImageXpress_1well-3C-2S-Zmix-T/2024-04-22/1697/TimePoint_2/1well-3C-2S-Zmix-T_C07_s1_w3A9E4E910-281E-4C24-96FB-36EAFA13348B.tif";
    let one = open(&source, first).unwrap();
    let mut plane = vec![0; 256 * 256 * 2];
    import.rasters[0].read([1, 2, 0, 0, 0], [1, 1, 1, 256, 256], &mut plane).unwrap();
    assert!(plane == whole(one.rasters[0].as_ref()));
}

#[test]
fn a_movie_of_single_planes_is_a_stack_in_time() {
    let Some(root) = corpus("tiff/neubias/mitocheck-movie") else { return };
    let import = open(&folder(&root), "").unwrap();
    assert_eq!(import.rasters[0].info().shape, [30, 1, 1, 190, 211]);
}

fn found(memory: &Memory) -> Vec<(String, String, usize, bool)> {
    let found = find_imports(memory).unwrap();
    found.into_iter().map(|it| (it.path, it.output, it.files.len(), it.refusal.is_none())).collect()
}

fn row(path: &str, output: &str, files: usize, is_read: bool) -> (String, String, usize, bool) {
    (path.to_owned(), output.to_owned(), files, is_read)
}

#[test]
fn what_can_be_converted_is_found_and_what_is_part_of_a_store_is_not() {
    let mut memory = tree(&[
        ("a/one.tif", 0),
        ("a/stack_z0.tif", 0),
        ("b/s_z0.tif", 0),
        ("b/s_z1.tif", 0),
        ("img.zarr/extra.tif", 0),
    ]);
    memory.0.insert("img.zarr/zarr.json".to_owned(), br#"{"zarr_format": 3, "node_type": "group"}"#.to_vec());
    memory.0.insert("c/scan.lif".to_owned(), b"p\0\0\0".to_vec());
    memory.0.insert("c/scan.nd2".to_owned(), b"\xda\xce\xbe\x0a".to_vec());
    memory.0.insert("c/readme.txt".to_owned(), b"hello".to_vec());
    memory.0.insert("c/broken.tif".to_owned(), b"II\x2a\0\xff\xff\xff\0".to_vec());
    assert_eq!(
        found(&memory),
        [
            row("a/one.tif", "a/one.ome.zarr", 1, true),
            row("a/stack_z0.tif", "a/stack_z0.ome.zarr", 1, true),
            row("b", "b.ome.zarr", 2, true),
            row("c/broken.tif", "c/broken.ome.zarr", 1, false),
            row("c/scan.lif", "c/scan.ome.zarr", 1, false),
            row("c/scan.nd2", "c/scan.ome.zarr", 1, false),
        ]
    );
    let refusals: Vec<String> = find_imports(&memory).unwrap().into_iter().filter_map(|it| it.refusal).collect();
    assert!(refusals[1].contains("Leica LIF") && refusals[1].contains("bioformats2raw"), "{refusals:?}");
}

#[test]
fn files_of_one_set_are_one_candidate() {
    let listed = |name: &str, z: u8| {
        format!(r#"<TiffData FirstZ="{z}" IFD="0" PlaneCount="1"><UUID FileName="{name}">u</UUID></TiffData>"#)
    };
    let image = |listed: &str| {
        format!(
            r#"<OME><Image ID="I"><Pixels DimensionOrder="XYZCT" Type="uint8" SizeX="3" SizeY="2" SizeZ="2" SizeC="1" SizeT="1">{listed}</Pixels></Image></OME>"#
        )
    };
    let xml = image(&(listed("x.ome.tif", 0) + &listed("y.ome.tif", 1)));
    let page = || Page::grey(3, 2, 8).strips(2, vec![vec![1; 6]]);
    let mut memory = Memory::default();
    for name in ["s/x.ome.tif", "s/y.ome.tif"] {
        memory.0.insert(name.to_owned(), file(&[page().describe(&xml)], false, false));
    }
    assert_eq!(found(&memory), [row("s/x.ome.tif", "s/x.ome.zarr", 2, true)]);
    memory.0.insert("s/set.companion.ome".to_owned(), xml.into_bytes());
    assert_eq!(found(&memory), [row("s/set.companion.ome", "s/set.ome.zarr", 3, true)]);
    memory.0.remove("s/y.ome.tif");
    let refused = find_imports(&memory).unwrap();
    assert!(refused[0].refusal.as_ref().unwrap().contains("'y.ome.tif'"), "{refused:?}");
}

#[test]
fn every_candidate_of_the_corpus_opens_or_says_why_not() {
    let Some(root) = corpus("") else { return };
    for part in ["tiff", "ometiff", "derived/ometiff"] {
        let part = folder(&root.join(part));
        for candidate in find_imports(part.as_ref()).unwrap().iter().filter(|it| it.refusal.is_none()) {
            match open(&part, &candidate.path) {
                Ok(import) => assert_eq!(import.files, candidate.files, "{}", candidate.path),
                Err(error) => assert!(
                    error.to_string().contains("JPEG 2000") || error.to_string().contains("names page"),
                    "{}: {error}",
                    candidate.path
                ),
            }
        }
    }
}

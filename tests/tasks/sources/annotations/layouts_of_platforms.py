"""Exports of labelling platforms as their documentation and the code of their SDKs have them."""

import json

from tests.tasks.sources.annotations.layouts_of_services import lines, sides
from tests.tasks.sources.annotations.scenes import CLASSES, HEIGHT, SCENES, WIDTH
from tests.tasks.sources.annotations.writing import TRAIN, pictures, put

SIGNED = "https://storage.labelbox.com/a%2Fb?Expires=1700000000&Signature=abc"
QUESTION = {"feature_id": "q", "feature_schema_id": "s", "name": "Blurry?", "value": "blurry"}


def labelbox_object(scene, **more):
    x, y, width, height = sides(scene)
    named = {"feature_id": "f", "feature_schema_id": "s", "name": scene.label, "value": scene.label.upper()}
    if scene.stem == "three":
        corners = ((x, y), (x + width, y), (x + width, y + height), (x, y))
        shape = {"annotation_kind": "ImagePolygon", "polygon": [{"x": px, "y": py} for px, py in corners]}
    else:
        box = {"top": float(y), "left": float(x), "height": float(height), "width": float(width)}
        shape = {"annotation_kind": "ImageBoundingBox", "bounding_box": box}
    return {**named, **shape, "classifications": [], **more}


def labelbox_label(objects, classifications=(), at="2024-04-08T16:21:26.000+00:00", skipped=False):
    return {
        "label_kind": "Default",
        "version": "1.0.0",
        "id": "l",
        "label_details": {"created_at": at, "updated_at": at, "created_by": "anna@example.org", "reviews": []},
        "performance_details": {"seconds_to_create": 5, "seconds_to_review": 0, "skipped": skipped},
        "annotations": {"objects": list(objects), "classifications": list(classifications), "relationships": []},
    }


def labelbox_row(scene, labels, key="external_id", **more):
    return {
        "data_row": {"id": f"c{scene.stem}", key: scene.name, "row_data": SIGNED},
        "media_attributes": {"height": HEIGHT, "width": WIDTH, "mime_type": "image/jpeg"},
        "embeddings": [{"name": "CLIP", "values": [{"value": [0.4192526042461395] * 9000}]}],
        "metadata_fields": [{"schema_id": "m", "schema_name": "split", "value": "train" if scene in TRAIN else "valid"}],
        "projects": {"p1": {"name": "pets", "labels": labels, "project_details": {"workflow_status": "DONE"}}},
        **more,
    }


def labelbox(root):
    """With a question about the image that has no class, as projects of objects have it."""
    pictures(root / "images")
    answer = QUESTION | {"radio_answer": {"name": "No", "value": "no", "classifications": []}}
    rows = [
        labelbox_row(scene, [labelbox_label([labelbox_object(scene)] if scene.box else [], [answer])], key)
        for scene, key in zip(SCENES, ("external_id", "global_key") * 3, strict=True)
    ]
    put(root / "export.ndjson", lines(rows))


def labelbox_classes(root):
    """A list, as the SDK's result is; the class by a radio button, beside a checklist."""
    pictures(root)
    rows = []
    for scene in SCENES:
        radio = {"name": "Label", "value": "label", "radio_answer": {"name": scene.label, "value": "v", "classifications": []}}
        several = {"name": "Weather", "value": "w", "checklist_answers": [{"name": "sunny"}, {"name": "windy"}]}
        rows.append(labelbox_row(scene, [labelbox_label([], [several, *([radio] if scene.label else [])])], metadata_fields=[]))
    put(root / "export.json", json.dumps(rows))


def labelbox_former(root):
    """A row per label, of which the last image has a skipped one."""
    pictures(root)
    rows = []
    for scene in SCENES:
        row = {"ID": "l", "DataRow ID": f"c{scene.stem}", "Labeled Data": SIGNED, "External ID": scene.name, "Skipped": False}
        if scene.box:
            x, y, width, height = sides(scene)
            box = {"featureId": "f", "schemaId": "s", "title": scene.label, "value": scene.label.upper(), "color": "#FF0000"}
            box["bbox"] = {"top": y, "left": x, "height": height, "width": width}
            rows.append(row | {"Label": {"objects": [box], "classifications": [], "relationships": []}})
        else:
            rows.append(row | {"Label": {}, "Skipped": True})
    put(root / "export.json", json.dumps(rows))


def superannotate_older(root, *, whole=False):
    """Lists per image, or all in annotations.json."""
    pictures(root)
    lists = {}
    for scene in SCENES:
        meta = {
            "type": "meta",
            "name": "imageAttributes",
            "width": WIDTH,
            "height": HEIGHT,
            "status": "Completed",
            "pinned": False,
        }
        x0, y0, x1, y1 = scene.box or (0, 0, 0, 0)
        box = {"type": "bbox", "classId": 54 + CLASSES.index(scene.label) if scene.label else 0, "probability": 100}
        box |= {"points": {"x1": x0, "x2": x1, "y1": y0, "y2": y1}, "groupId": 0, "pointLabels": {}, "attributes": []}
        lists[scene.name] = [*([box] if scene.box else []), meta, {"type": "comment", "x": 1, "y": 1, "comments": []}]
    classes = [{"id": 54 + n, "name": name, "color": "#ff0000", "attribute_groups": []} for n, name in enumerate(CLASSES)]
    put(root / "classes/classes.json", json.dumps(classes))
    if whole:
        put(root / "annotations.json", json.dumps(lists))
    else:
        for name, items in lists.items():
            put(root / f"{name}___objects.json", json.dumps(items))


def superannotate_tags(root):
    """Free tags alone are the labels of images, and `train` and `val` among them their splits."""
    pictures(root)
    for scene in SCENES:
        metadata = {"name": scene.name, "width": WIDTH, "height": HEIGHT, "status": "Completed", "projectId": 1}
        content = {"metadata": metadata, "instances": [], "tags": [*filter(None, [scene.label]), scene.split], "comments": []}
        put(root / f"{scene.name}.json", json.dumps(content))


def scale_task(scene, annotations, **more):
    params = {"attachment": f"https://example.org/img/{scene.name}?sig=1", "geometries": {"box": {}}, "hypothesis": {}}
    return {
        "task_id": f"t{scene.stem}",
        "type": "imageannotation",
        "status": "completed",
        "params": params,
        "response": {"annotations": annotations, "global_attributes": {}},
        **more,
    }


def scale_box(scene):
    x, y, width, height = sides(scene)
    if scene.stem == "three":  # a rotated box has its corners too
        vertices = [{"x": px, "y": py} for px, py in ((x, y), (x + width, y), (x + width, y + height), (x, y + height))]
        return {"type": "box", "label": scene.label, "rotation": 1.57, "vertices": vertices, "uuid": "u"}
    return {"type": "box", "label": scene.label, "left": x, "top": y, "width": width, "height": height, "attributes": {"a": 1}}


def scale_tasks(root):
    """As the API lists tasks."""
    pictures(root / "images")
    docs = [scale_task(scene, [scale_box(scene)] if scene.box else []) for scene in SCENES]
    put(root / "tasks.json", json.dumps({"docs": docs, "total": len(docs), "limit": 100, "offset": 0, "has_more": False}))


def via3_project(root):
    pictures(root)
    put(root / "via_project_1Jan2024_10h00m00s.json", json.dumps(via3(SCENES)))


def via3(scenes):
    """Rectangles, and a polygon; the class is an option of a radio button."""
    files, views, metadata = {}, {}, {}
    for number, scene in enumerate(scenes, start=1):
        files[str(number)] = {"fid": str(number), "fname": scene.name, "type": 2, "loc": 1, "src": ""}
        views[str(number)] = {"fid_list": [str(number)]}
        if scene.box:
            x0, y0, x1, y1 = scene.box
            xy = [7, x0, y0, x1, y0, x1, y1, x0, y1] if scene.stem == "three" else [2, x0, y0, x1 - x0, y1 - y0]
            values = {"1": str(CLASSES.index(scene.label)), "2": "a note"}
            metadata[f"{number}_abc"] = {"vid": str(number), "flg": 0, "z": [], "xy": xy, "av": values}
    options = {str(number): label for number, label in enumerate(CLASSES)}
    of_region = {"anchor_id": "FILE1_Z0_XY1", "desc": "", "default_option_id": ""}
    return {
        "project": {"pid": "__VIA_PROJECT_ID__", "pname": "pets", "data_format_version": "3.1.1", "vid_list": list(views)},
        "config": {"file": {"loc_prefix": {"1": "", "2": "", "3": "", "4": ""}}, "ui": {}},
        "attribute": {
            "1": {"aname": "class", "type": 3, "options": options} | of_region,
            "2": {"aname": "note", "type": 1, "options": {}} | of_region,
        },
        "file": files,
        "metadata": metadata,
        "view": views,
    }


def mot(root, *, classes=True, first=1):
    """MOTChallenge's own layout: a sequence per video, of which the objects that do not count have flag 0."""
    for split, chosen in (("train", SCENES[:3]), ("val", SCENES[3:])):
        home = root / split / f"MOT-{split}"
        rows = []
        for frame, scene in enumerate(chosen, start=first):
            pictures(home / "img1", [scene._replace(name=f"{frame:06}.jpg")])
            if scene.box:
                kind = CLASSES.index(scene.label) + 1 if classes else 1 + 2 * CLASSES.index(scene.label)
                rows += [[frame, 1, *sides(scene), 1, kind, 0.9], [frame, 2, 1, 1, 3, 3, 0, 2, 0.1]]
        put(home / "gt/gt.txt", "".join(f"{','.join(map(str, row))}\n" for row in rows))
        sizes = f"imWidth={WIDTH}\nimHeight={HEIGHT}\nimExt=.jpg"
        put(home / "seqinfo.ini", f"[Sequence]\nname=MOT-{split}\nimDir=img1\nframeRate=30\nseqLength={len(chosen)}\n{sizes}\n")
        if classes:
            put(home / "gt/labels.txt", "cat\ndog\n")

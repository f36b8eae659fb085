"""Where images, labels and boxes come from: folders, manifests, Label Studio exports, and files of boxes."""

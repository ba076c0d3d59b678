/// Text to write to a file.
package struct TextFile: Sendable, Hashable {
  package var path: String
  package var text: String
  /// What it is, for messages: `Layers`.
  package var what: String
  package var overwrite: Bool

  package init(path: String, text: String, what: String, overwrite: Bool = false) {
    self.path = path
    self.text = text
    self.what = what
    self.overwrite = overwrite
  }
}

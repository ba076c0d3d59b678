import Formats

extension JSONPlace {
  func template() throws(ImportError) -> Template {
    var result = Template()
    for part in try flattened("processors") {
      let inner = try part.singleTemplate()
      result.before = inner.before + result.before
      result.after += inner.after
    }
    return result
  }

  private func singleTemplate() throws(ImportError) -> Template {
    switch try required("type").text() {
    case "ByteLevel": return Template()
    case "BertProcessing", "RobertaProcessing":
      return Template(before: [try required("cls").pairToken()], after: [try required("sep").pairToken()])
    case "TemplateProcessing": return try templateProcessing()
    default: throw try unsupported("the post-processor")
    }
  }

  /// The number in `["[CLS]", 101]`.
  private func pairToken() throws(ImportError) -> Int32 {
    let parts = try elements()
    guard parts.count == 2 else { throw wrong("a text and a number") }
    return try parts[1].token()
  }

  private func templateProcessing() throws(ImportError) -> Template {
    var template = Template()
    var hasText = false
    for piece in try required("single").elements() {
      if let special = piece.member("SpecialToken") {
        let name = try special.required("id")
        guard let entry = member("special_tokens")?.member(try name.text()) else {
          throw name.error(.missing("its entry in \"special_tokens\""))
        }
        for number in try entry.required("ids").elements() {
          if hasText {
            template.after.append(try number.token())
          } else {
            template.before.append(try number.token())
          }
        }
      } else {
        let id = try piece.required("Sequence").required("id")
        guard try id.text() == "A", !hasText else {
          throw id.error(.malformed("found \"\(try id.text())\", expected one \"A\""))
        }
        hasText = true
      }
    }
    guard hasText else { throw error(.missing("the text in the template")) }
    return template
  }
}

import Tensors

/// What is wrong with a file that was to be read, as data; the sentence is made in `description`.
package struct ImportError: Error, Equatable, CustomStringConvertible {
  /// Where in the file.
  package enum Place: Equatable, Sendable {
    case file
    /// Offset in bytes from the start of the file.
    case byte(Int)
    case node(name: String, type: String)
    case tensor(String)
    case value(String)
    case function(String)
    /// A key of what a file says about itself.
    case metadata(String)
  }

  package enum Reason: Equatable, Sendable {
    /// The system's own words: no such file, no permission.
    case unreadable(String)
    case empty
    case truncated(needed: Int, left: Int)
    case malformed(String)
    case notThisFormat(expected: String)
    case missing(String)
    /// A count that contradicts another, in the unit named.
    case count(what: String, found: Int, expected: Int)
    case limit(what: String, found: Int, most: Int)
    case unsupported(what: String, found: String)
    case unknownOperator(type: String, domain: String, opset: Int, others: Int)
    case undefinedValue(String)
    case writtenTwice(String)
    case cycle
    /// External data that leaves the folder or does not fit its file.
    case externalData(location: String, problem: String)
    /// What the operator says about its attributes.
    case operatorRefused(String)
    case shape(found: [Int], expected: [Int])
    case unknownArchitecture(String, known: [String])
    /// A tensor that no layer of the architecture has.
    case unusedTensor(architecture: String)
  }

  package var file: String
  package var place: Place
  package var reason: Reason

  package init(file: String, place: Place, reason: Reason) {
    self.file = file
    self.place = place
    self.reason = reason
  }
}

extension ImportError {
  /// The whole sentence: file, place, what is wrong (found, expected), what to do.
  package var description: String { "\(displayText(file))\(place.text): \(reason.text)" }
}

extension ImportError.Place {
  var text: String {
    switch self {
    case .file: ""
    case .byte(let offset): ", byte \(offset)"
    case .node(let name, let type): ", node \"\(displayText(name))\" (\(displayText(type)))"
    case .tensor(let name): ", tensor \"\(displayText(name))\""
    case .value(let name): ", value \"\(displayText(name))\""
    case .function(let name): ", function \"\(displayText(name))\""
    case .metadata(let key): ", metadata \"\(displayText(key))\""
    }
  }
}

extension ImportError.Reason {
  var text: String {
    switch self {
    case .unreadable(let why): "cannot be read (\(displayText(why))). Check the path and its permissions."
    case .empty: "the file is empty. The download may be incomplete."
    case .truncated(let needed, let left):
      "\(needed) bytes are needed, \(left) are left. The download may be incomplete."
    case .malformed(let what): "\(displayText(what)). The file is damaged or of another format."
    case .notThisFormat(let expected): "this is not \(expected). Check the file's ending."
    case .missing(let what): "\(displayText(what)) is missing. Export the model again."
    case .count(let what, let found, let expected):
      "wrong number of \(displayText(what)) (found \(found), expected \(expected)). Export the model again."
    case .limit(let what, let found, let most):
      "too many \(displayText(what)) (found \(found), at most \(most)). Such a file is not opened."
    case .unsupported(let what, let found):
      "\(displayText(what)) \(displayText(found)) is not supported. Export the model without it."
    case .unknownOperator(let type, let domain, let opset, let others):
      "operator \(displayText(type)) of domain \"\(displayText(domain.isEmpty ? "ai.onnx" : domain))\", opset \(opset), is not known"
        + (others == 0 ? "" : ", nor are those of \(others) other nodes")
        + ". Export the model with other operators."
    case .undefinedValue(let name):
      "\"\(displayText(name))\" is read, but no input, constant or node defines it. Export the model again."
    case .writtenTwice(let name): "\"\(displayText(name))\" is defined twice. Export the model again."
    case .cycle: "the node depends on its own output. Export the model again."
    case .externalData(let location, let problem):
      "external data \"\(displayText(location))\" \(displayText(problem)). Put the data file beside the model."
    case .operatorRefused(let what): displayText(what)
    case .shape(let found, let expected):
      "the shape is \(found.shapeText), expected \(expected.shapeText) by the configuration. "
        + "Use the configuration and the weights of one model."
    case .unknownArchitecture(let found, let known):
      "architecture \"\(displayText(found))\" is not known (known: \(known.joined(separator: ", "))). "
        + "Open a model of one of these."
    case .unusedTensor(let architecture):
      "no layer of architecture \(displayText(architecture)) uses it, so the model would not be what it was. "
        + "Open a plain model of this architecture."
    }
  }
}

/// Text from a file as it may be shown: without control and direction characters, at most 200 characters long.
package func displayText(_ text: String) -> String {
  var result = String.UnicodeScalarView()
  var length = 0
  for scalar in text.unicodeScalars {
    switch scalar.properties.generalCategory {
    case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse, .unassigned:
      continue
    default: result.append(scalar)
    }
    length += 1
    if length == 200 {
      result.append("…")
      break
    }
  }
  return String(result)
}

import Foundation
import Interface

/// One thing a person did, in a form that does not depend on keys.
package enum ReplayStep: Hashable, Sendable {
  case size(Size)
  /// Where the lines between panes are.
  case layout(Proportions)
  /// A command of the screen, of the pane with the keyboard or of the dialog on top, by its id.
  case run(String)
  /// Typed into a text field.
  case type(String)
  /// A key that edits a text field.
  case key(Key)
  case paste(String)
  /// What no command stands for, at a place of the screen as large as it was then.
  case mouse(Mouse)
  /// Until the jobs have ended.
  case wait
}

/// What was done in a session: a text with one step in a line, that a person can read, cut and write.
package struct ReplayLog: Hashable, Sendable {
  package var model: String?
  package var data: String?
  package var trainData: String?
  package var steps: [ReplayStep]

  package init(model: String? = nil, data: String? = nil, trainData: String? = nil, steps: [ReplayStep] = [])
  {
    self.model = model
    self.data = data
    self.trainData = trainData
    self.steps = steps
  }

  /// A line that is no step.
  package struct Mistake: Error, Hashable, CustomStringConvertible {
    package var file: String
    package var line: Int
    package var text: String

    package init(file: String, line: Int, text: String) {
      self.file = file
      self.line = line
      self.text = text
    }

    package var description: String {
      "\(file), line \(line): `\(text)` is no step of a session. Steps: run ID, type \"TEXT\", key NAME, paste \"TEXT\", click X Y, wheel-up X Y, size WxH, layout {…}, wait."
    }
  }

  /// Reads what `text` writes; empty lines and those that begin with `#` say nothing.
  package init(_ text: String, file: String) throws(Mistake) {
    self.init()
    for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
      let line = line.trimmingCharacters(in: .whitespaces)
      guard !line.isEmpty, !line.hasPrefix("#") else { continue }
      guard read(line) else { throw Mistake(file: file, line: index + 1, text: String(line.prefix(60))) }
    }
  }

  private mutating func read(_ line: String) -> Bool {
    let parts = line.split(separator: " ", maxSplits: 1)
    let rest = parts.count > 1 ? String(parts[1]) : ""
    switch parts[0] {
    case "model": model = Self.unquoted(rest)
    case "data": data = Self.unquoted(rest)
    case "train-data": trainData = Self.unquoted(rest)
    default:
      guard let step = ReplayStep(word: parts[0], rest) else { return false }
      steps.append(step)
      return true
    }
    return !rest.isEmpty
  }

  /// Where the session began.
  package var heading: String {
    let facts = [("model", model), ("data", data), ("train-data", trainData)]
    return facts.compactMap { name, value in value.map { "\(name) \(Self.quoted($0))\n" } }.joined()
  }

  package var text: String { heading + steps.map { $0.line + "\n" }.joined() }

  /// A JSON string, so that a line stays a line.
  static func quoted(_ text: String) -> String { json(text) }

  static func json(_ value: some Encodable) -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.withoutEscapingSlashes, .sortedKeys]
    return (try? encoder.encode(value)).map { String(decoding: $0, as: UTF8.self) } ?? ""
  }

  static func unquoted(_ text: String) -> String? {
    try? JSONDecoder().decode(String.self, from: Data(text.utf8))
  }
}

extension ReplayStep {
  private static let mouseNames: [(String, Mouse.Kind)] = [
    ("click", .press(.left)), ("middle-click", .press(.middle)), ("right-click", .press(.right)),
    ("wheel-up", .wheelUp), ("wheel-down", .wheelDown), ("drag", .drag(.left)),
    ("middle-drag", .drag(.middle)),
    ("right-drag", .drag(.right)), ("release", .release(.left)), ("middle-release", .release(.middle)),
    ("right-release", .release(.right)),
  ]

  /// The step as a line of the log.
  package var line: String {
    switch self {
    case .size(let size): "size \(size.width)x\(size.height)"
    case .layout(let proportions): "layout \(ReplayLog.json(proportions))"
    case .run(let id): "run \(id)"
    case .type(let text): "type \(ReplayLog.quoted(text))"
    case .key(let key): "key \(key.name)"
    case .paste(let text): "paste \(ReplayLog.quoted(text))"
    case .mouse(let mouse):
      "\(Self.mouseNames.first { $0.1 == mouse.kind }?.0 ?? "click") \(mouse.at.x) \(mouse.at.y)"
    case .wait: "wait"
    }
  }

  fileprivate init?(word: Substring, _ rest: String) {
    switch word {
    case "wait" where rest.isEmpty: self = .wait
    case "run" where !rest.isEmpty: self = .run(rest)
    case "type":
      guard let text = ReplayLog.unquoted(rest) else { return nil }
      self = .type(text)
    case "layout":
      guard let proportions = try? JSONDecoder().decode(Proportions.self, from: Data(rest.utf8)) else {
        return nil
      }
      self = .layout(proportions)
    case "paste":
      guard let text = ReplayLog.unquoted(rest) else { return nil }
      self = .paste(text)
    case "key":
      guard let key = Key(name: rest) else { return nil }
      self = .key(key)
    case "size":
      let sides = rest.split(separator: "x", omittingEmptySubsequences: false).map { Int($0) }
      guard sides.count == 2, let width = sides[0], let height = sides[1], (1...1000).contains(width),
        (1...1000).contains(height)
      else { return nil }
      self = .size(Size(width: width, height: height))
    default:
      let place = rest.split(separator: " ").map { Int($0) }
      guard let kind = Self.mouseNames.first(where: { $0.0 == word })?.1, place.count == 2, let x = place[0],
        let y = place[1]
      else { return nil }
      self = .mouse(Mouse(at: Point(x: x, y: y), kind))
    }
  }
}

internal import CNcurses
import Glibc
import Interface

/// Turns what the terminal sends into keys, pointer events and pastes.
///
/// Mouse and paste are read here and not by the terminal library, which takes the mouse's encoding from the terminal's
/// description, where for many it is one without columns above 223.
struct InputDecoder {
  private let window: UnsafeMutablePointer<WINDOW>
  private let descriptor: Int32
  /// A scalar or code that was read too far.
  private var ahead: Unit?

  /// The background the terminal has told since it was asked.
  private(set) var background: Color?
  /// Whether the terminal has said what it is, as all do when asked: it has answered what was asked before then.
  private(set) var hasAnswered = false

  private enum Unit: Equatable {
    case scalar(UInt32)
    case code(Int32)
  }

  // Codes of our own, above all of the library's fixed ones.
  private static let pasteBegin: Int32 = 0x2001
  private static let pasteEnd: Int32 = 0x2002
  private static let mouse: Int32 = 0x2003
  /// A paste longer than this, in scalars, is cut.
  private static let pasteLimit = 1 << 20

  init(window: UnsafeMutablePointer<WINDOW>, descriptor: Int32) {
    self.window = window
    self.descriptor = descriptor
    define_key("\u{1b}[200~", InputDecoder.pasteBegin)
    define_key("\u{1b}[201~", InputDecoder.pasteEnd)
    define_key("\u{1b}[<", InputDecoder.mouse)
    // Descriptions know one form of these keys, terminals send the other one in the other cursor mode.
    let both: [(String, Int32)] = [
      ("A", KEY_UP), ("B", KEY_DOWN), ("C", KEY_RIGHT), ("D", KEY_LEFT), ("H", KEY_HOME), ("F", KEY_END),
    ]
    for (letter, code) in both {
      for start in ["\u{1b}[", "\u{1b}O"] where key_defined(start + letter) == 0 {
        define_key(start + letter, code)
      }
    }
  }

  /// Everything that has arrived, without waiting for more.
  mutating func drain() -> [Input] {
    var inputs: [Input] = []
    while let unit = next() {
      switch unit {
      case .code(InputDecoder.pasteBegin): inputs.append(.paste(readPaste()))
      case .code(InputDecoder.pasteEnd), .code(KEY_RESIZE): break
      case .code(InputDecoder.mouse):
        if let mouse = readMouse() { inputs.append(.mouse(mouse)) }
      case .code(let code):
        if let key = InputDecoder.key(code) ?? InputDecoder.extendedKey(code) { inputs.append(.key(key)) }
      case .scalar(27):
        if let key = readEscape() { inputs.append(.key(key)) }
      case .scalar(let value):
        if let key = InputDecoder.key(scalar: value) { inputs.append(.key(key)) }
      }
    }
    return inputs
  }

  // MARK: units

  private mutating func next() -> Unit? {
    if let unit = ahead {
      ahead = nil
      return unit
    }
    var value: wint_t = 0
    switch wget_wch(window, &value) {
    case OK: return .scalar(value)
    case KEY_CODE_YES: return .code(Int32(bitPattern: value))
    default: return nil
    }
  }

  /// The next one, also when it is still on its way.
  private mutating func next(within milliseconds: Int32) -> Unit? {
    if let unit = next() { return unit }
    var waiting = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
    return poll(&waiting, 1, milliseconds) > 0 ? next() : nil
  }

  // MARK: sequences

  /// After the start of a paste: all up to its end, line breaks as `\n`.
  private mutating func readPaste() -> String {
    var scalars = String.UnicodeScalarView()
    while let unit = next(within: 200) {
      if unit == .code(InputDecoder.pasteEnd) { break }
      guard case .scalar(let value) = unit, scalars.count < InputDecoder.pasteLimit,
        let scalar = Unicode.Scalar(value)
      else { continue }
      scalars.append(scalar == "\r" ? "\n" : scalar)
    }
    return String(scalars)
  }

  /// After `ESC [ <`: `button;column;row` and `M` or `m` (xterm's SGR mouse mode, 1006).
  private mutating func readMouse() -> Mouse? {
    var numbers = [0, 0, 0]
    var index = 0
    while case .scalar(let value)? = next(within: 20) {
      switch value {
      case 0x30...0x39: numbers[index] = min(numbers[index] * 10 + Int(value) - 0x30, 1 << 20)
      case 0x3B:
        index += 1
        if index > 2 { return nil }
      case 0x4D, 0x6D: return InputDecoder.mouse(numbers, isRelease: value == 0x6D)
      default: return nil
      }
    }
    return nil
  }

  /// Bits of the button: 0–1 which, 2 shift, 3 alt, 4 control, 5 moved, 6 wheel.
  private static func mouse(_ numbers: [Int], isRelease: Bool) -> Mouse? {
    let bits = numbers[0]
    let kind: Mouse.Kind
    if bits & 64 != 0 {
      guard bits & 3 < 2 else { return nil }
      kind = bits & 3 == 0 ? .wheelUp : .wheelDown
    } else {
      guard let button = Mouse.Button(rawValue: (bits & 3) + 1) else { return nil }
      kind = bits & 32 != 0 ? .drag(button) : isRelease ? .release(button) : .press(button)
    }
    return Mouse(
      at: Point(x: numbers[1] - 1, y: numbers[2] - 1), kind, control: bits & 16 != 0, alt: bits & 8 != 0,
      shift: bits & 4 != 0)
  }

  /// After ESC: the key itself, a key with alt, or a sequence the description does not know.
  private mutating func readEscape() -> Key? {
    guard let unit = next() else { return .escape }
    guard case .scalar(let value) = unit else {
      ahead = unit
      return .escape
    }
    if value == 0x5B || value == 0x4F {
      guard let following = next() else { return .alt(value == 0x5B ? "[" : "O") }
      ahead = following
      return readControlSequence()
    }
    if value == 0x5D {
      // What a distant terminal answers may come in pieces.
      let following = next(within: 50)
      ahead = following
      guard case .scalar(0x30...0x39)? = following else { return .alt("]") }
      readReport()
      return nil
    }
    if value >= 0x20, value != 0x7F, let scalar = Unicode.Scalar(value) { return .alt(Character(scalar)) }
    ahead = unit
    return .escape
  }

  /// After `ESC ]`: what the terminal was asked for, up to BEL or `ESC \`.
  private mutating func readReport() {
    var text = ""
    while case .scalar(let value)? = next(within: 50), value != 7 {
      if value == 27 {
        _ = next(within: 20)
        break
      }
      if text.unicodeScalars.count < 64, let scalar = Unicode.Scalar(value) {
        text.unicodeScalars.append(scalar)
      }
    }
    if text.hasPrefix("11;") { background = Color(reported: text.dropFirst(3)) }
  }

  /// After `ESC [`: numbers and a letter.
  ///
  /// Unknown ones are swallowed, or their characters would act as keys.
  private mutating func readControlSequence() -> Key? {
    var numbers = [0]
    for _ in 0..<64 {
      guard case .scalar(let value)? = next(within: 20) else { return nil }
      switch value {
      case 0x30...0x39:
        numbers[numbers.count - 1] = min(numbers[numbers.count - 1] * 10 + Int(value) - 0x30, 9999)
      case 0x3B: numbers.append(0)
      case 0x20...0x3F: continue
      case 0x63:
        hasAnswered = true
        return nil
      case 0x40...0x7E: return InputDecoder.key(final: value, numbers)
      default: return nil
      }
    }
    return nil
  }

  // MARK: keys

  /// xterm's `CSI 1 ; modifier letter` and `CSI number ; modifier ~`; modifier − 1 has bit 0 shift, 1 alt, 2 control.
  private static func key(final: UInt32, _ numbers: [Int]) -> Key? {
    let modifiers = numbers.count > 1 ? max(0, numbers[1] - 1) : 0
    let plain: Key?
    switch final {
    case 0x41: plain = .up
    case 0x42: plain = .down
    case 0x43: plain = .right
    case 0x44: plain = .left
    case 0x46: plain = .end
    case 0x48: plain = .home
    case 0x5A: plain = .backTab
    case 0x50...0x53: plain = .function(Int(final) - 0x4F)
    case 0x7E:
      let table: [Int: Key] = [
        1: .home, 2: .insert, 3: .delete, 4: .end, 5: .pageUp, 6: .pageDown, 7: .home, 8: .end,
        11: .function(1),
        12: .function(2), 13: .function(3), 14: .function(4), 15: .function(5), 17: .function(6),
        18: .function(7),
        19: .function(8), 20: .function(9), 21: .function(10), 23: .function(11), 24: .function(12),
      ]
      plain = table[numbers[0]]
    default: plain = nil
    }
    return plain.map { modified($0, modifiers) }
  }

  /// Keys of a description that have no fixed code; it names them as `kDN5`, the digit as in xterm's sequences.
  private static func extendedKey(_ code: Int32) -> Key? {
    guard let pointer = keyname(code) else { return nil }
    let name = String(cString: pointer)
    let table: [String: Key] = [
      "kUP": .up, "kDN": .down, "kLFT": .left, "kRIT": .right, "kHOM": .home, "kEND": .end, "kPRV": .pageUp,
      "kNXT": .pageDown, "kDC": .delete, "kIC": .insert,
    ]
    if let key = table[name] { return modified(key, 1) }
    guard let digit = name.last?.wholeNumberValue, let key = table[String(name.dropLast())] else {
      return nil
    }
    return modified(key, max(0, digit - 1))
  }

  private static func modified(_ plain: Key, _ modifiers: Int) -> Key {
    if modifiers & 4 != 0 {
      let table: [Key: Key] = [
        .up: .controlUp, .down: .controlDown, .left: .controlLeft, .right: .controlRight,
      ]
      return table[plain] ?? plain
    }
    if modifiers & 1 != 0 { return plain == .up ? .shiftUp : plain == .down ? .shiftDown : plain }
    return plain
  }

  private static func key(scalar value: UInt32) -> Key? {
    switch value {
    case 0: .control(" ")
    case 9: .tab
    case 10, 13: .enter
    case 8, 127: .backspace
    case 1..<27: Unicode.Scalar(value + 96).map { .control(Character($0)) }
    case 28..<32: nil
    default: Unicode.Scalar(value).map { .character(Character($0)) }
    }
  }

  private static func key(_ code: Int32) -> Key? {
    switch code {
    case KEY_UP: .up
    case KEY_DOWN: .down
    case KEY_LEFT: .left
    case KEY_RIGHT: .right
    case KEY_HOME: .home
    case KEY_END: .end
    case KEY_PPAGE: .pageUp
    case KEY_NPAGE: .pageDown
    case KEY_BTAB: .backTab
    case KEY_ENTER: .enter
    case KEY_BACKSPACE: .backspace
    case KEY_DC: .delete
    case KEY_IC: .insert
    case KEY_SR: .shiftUp
    case KEY_SF: .shiftDown
    case KEY_F0...(KEY_F0 + 24): .function(Int(code - KEY_F0))
    default: nil
    }
  }
}

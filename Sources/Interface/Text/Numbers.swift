/// Figures as people read them; used by panes, reports and commands, so that one figure looks the same everywhere.
package enum Numbers {
  /// What stands where there is no figure.
  package static let none = "-"

  /// A number with exactly `digits` decimals, half away from zero.
  package static func fixed(_ value: Double, _ digits: Int) -> String {
    guard value.isFinite else { return value.isNaN ? "nan" : value < 0 ? "-inf" : "inf" }
    var scale = 1.0
    for _ in 0..<digits { scale *= 10 }
    let scaled = (abs(value) * scale).rounded()
    guard scaled < 9e15 else { return "\(value)" }
    let number = Int(scaled)
    let whole = number / Int(scale)
    let sign = value < 0 && number != 0 ? "-" : ""
    guard digits > 0 else { return sign + String(whole) }
    let part = String(number % Int(scale))
    return sign + String(whole) + "." + String(repeating: "0", count: digits - part.count) + part
  }

  /// A number with `digits` significant digits and no exponent: 0.0123, 1.23, 12.3, 123, 1234.
  package static func significant(_ value: Double, _ digits: Int = 3) -> String {
    guard value.isFinite, value != 0 else { return value == 0 ? fixed(0, digits - 1) : fixed(value, 0) }
    var decimals = digits - 1
    var magnitude = abs(value)
    while magnitude >= 10 && decimals > 0 {
      magnitude /= 10
      decimals -= 1
    }
    while magnitude < 1 && decimals < 12 {
      magnitude *= 10
      decimals += 1
    }
    return fixed(value, decimals)
  }

  /// Bytes in the unit that leaves the number below 1024: `512 B`, `77.4 KiB`, `1.04 MiB`, `2.50 GiB`.
  package static func bytes(_ count: Int) -> String {
    let size = Double(count)
    if abs(size) < 1024 { return "\(count) B" }
    if abs(size) < 1_048_576 { return fixed(size / 1024, 1) + " KiB" }
    if abs(size) < 1_073_741_824 { return fixed(size / 1_048_576, 2) + " MiB" }
    return fixed(size / 1_073_741_824, 2) + " GiB"
  }

  /// Bytes in KiB without the unit, for columns that name it in their header.
  package static func kibibytes(_ count: Int) -> String { fixed(Double(count) / 1024, 1) }

  /// A fraction 0…1 in percent without the sign: 0.8742 is `87.42`.
  package static func percent(_ fraction: Double, _ digits: Int = 2) -> String {
    fixed(fraction * 100, digits)
  }

  /// A difference of fractions in percentage points, always with a sign: −0.0023 is `-0.23`.
  package static func points(_ difference: Double, _ digits: Int = 2) -> String {
    let text = fixed(difference * 100, digits)
    return text.hasPrefix("-") || text == "nan" ? text : "+" + text
  }

  /// How many times: `3.9×`, `12×`.
  package static func ratio(_ value: Double) -> String {
    guard value.isFinite else { return none }
    return fixed(value, abs(value) < 9.95 ? 1 : 0) + "×"
  }

  /// Milliseconds with three significant digits, without the unit.
  package static func milliseconds(_ value: Double) -> String { significant(value, 3) }

  /// Time left or taken, from seconds: `0:04`, `1:12`, `2:03:00`.
  package static func duration(_ seconds: Double) -> String {
    guard seconds.isFinite, seconds >= 0, seconds < 360_000_000 else { return none }
    let total = Int(seconds.rounded())
    let (hours, minutes, rest) = (total / 3600, total / 60 % 60, total % 60)
    let pad = { (value: Int) in value < 10 ? "0\(value)" : "\(value)" }
    return hours > 0 ? "\(hours):\(pad(minutes)):\(pad(rest))" : "\(minutes):\(pad(rest))"
  }

  /// A count with a suffix: `981`, `272 k`, `40.8 M`, `1.30 G`.
  package static func count(_ value: Int) -> String {
    let size = Double(value)
    if abs(size) < 1000 { return "\(value)" }
    if abs(size) < 999_500 { return significant(size / 1000) + " k" }
    if abs(size) < 999_500_000 { return significant(size / 1e6) + " M" }
    return significant(size / 1e9) + " G"
  }
}

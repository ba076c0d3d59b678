import Foundation

/// The instructions for products of small integers that a processor says it has.
package struct IntegerInstructions: Sendable, Hashable, Encodable {
  /// As Linux names them, for example `avx512_vnni`; narrowest first.
  package var names: [String]

  private static let known = ["avx2", "avx_vnni", "avx512bw", "avx512_vnni", "amx_int8", "asimddp", "i8mm"]

  /// - Parameter cpuinfo: the text of `/proc/cpuinfo`.
  package init(cpuinfo: String) {
    let lines = cpuinfo.split(separator: "\n")
    let flags = lines.first { $0.hasPrefix("flags") || $0.hasPrefix("Features") }
    let words = Set((flags ?? "").split(whereSeparator: \.isWhitespace).map(String.init))
    names = Self.known.filter(words.contains)
  }

  package static var current: IntegerInstructions {
    IntegerInstructions(cpuinfo: (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)) ?? "")
  }

  /// Whether four products of 8-bit codes are added in 32 bits by one instruction, so that nothing saturates on the way.
  package var hasDotProducts: Bool { !Set(names).isDisjoint(with: ["avx_vnni", "avx512_vnni", "asimddp"]) }
}

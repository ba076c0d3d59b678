/// A set of Unicode scalars as a pattern writes it: ranges, general categories, properties, sets within sets.
struct ScalarSet: Sendable, Equatable {
  private var ranges: [ClosedRange<UInt32>] = []
  private var categories = CategorySet()
  private var properties: UInt8 = 0
  private var subsets: [ScalarSet] = []
  private var intersections: [ScalarSet] = []
  private var isNegated = false
  /// The answers for ASCII, worked out when the set is finished.
  private var ascii: (low: UInt64, high: UInt64) = (0, 0)

  static func == (left: ScalarSet, right: ScalarSet) -> Bool {
    left.ranges == right.ranges && left.categories == right.categories && left.properties == right.properties
      && left.subsets == right.subsets && left.intersections == right.intersections
      && left.isNegated == right.isNegated
  }

  init() {}

  init(_ scalar: UInt32) {
    insert(scalar...scalar)
    finish()
  }

  init(_ categories: CategorySet) {
    self.categories = categories
    finish()
  }

  /// All scalars with one of these properties of the character table.
  init(property: UInt8) {
    properties = property
    finish()
  }

  mutating func insert(_ range: ClosedRange<UInt32>) { ranges.append(range) }

  mutating func insert(_ set: ScalarSet) {
    if set.isNegated || !set.intersections.isEmpty {
      subsets.append(set)
    } else {
      ranges += set.ranges
      categories.bits |= set.categories.bits
      properties |= set.properties
      subsets += set.subsets
    }
  }

  mutating func intersect(_ set: ScalarSet) { intersections.append(set) }

  var negated: ScalarSet {
    var result = self
    result.isNegated.toggle()
    result.finish()
    return result
  }

  /// The set that also holds every scalar which differs from one of its own only in case (simple mapping).
  ///
  /// Only what is written as characters and short ranges is widened; categories and properties stand for themselves.
  var ignoringCase: ScalarSet {
    var result = self
    for range in ranges where range.count <= 512 {
      for value in range {
        for other in Self.caseVariants(of: value) where !range.contains(other) {
          result.insert(other...other)
        }
      }
    }
    result.subsets = subsets.map(\.ignoringCase)
    result.intersections = intersections.map(\.ignoringCase)
    result.finish()
    return result
  }

  private static func caseVariants(of value: UInt32) -> [UInt32] {
    guard let scalar = Unicode.Scalar(value) else { return [] }
    var variants = [scalar.properties.lowercaseMapping, scalar.properties.uppercaseMapping]
      .filter { $0.unicodeScalars.count == 1 }.compactMap { $0.unicodeScalars.first?.value }
    // Characters beyond ASCII that fold to ASCII: long s and the Kelvin sign.
    if value | 0x20 == 0x73 { variants.append(0x17F) }
    if value | 0x20 == 0x6B { variants.append(0x212A) }
    return variants
  }

  /// Works out the answers for ASCII; to be called after the last change.
  mutating func finish() {
    ranges.sort { $0.lowerBound < $1.lowerBound }
    for value in UInt32(0)..<128 where isMember(value) {
      if value < 64 { ascii.low |= 1 << UInt64(value) } else { ascii.high |= 1 << UInt64(value - 64) }
    }
    for value in UInt32(0)..<128 where !isMember(value) {
      if value < 64 { ascii.low &= ~(1 << UInt64(value)) } else { ascii.high &= ~(1 << UInt64(value - 64)) }
    }
  }

  @inline(__always)
  func contains(_ value: UInt32) -> Bool {
    if value < 64 { return ascii.low >> UInt64(value) & 1 != 0 }
    if value < 128 { return ascii.high >> UInt64(value &- 64) & 1 != 0 }
    return isMember(value)
  }

  private func isMember(_ value: UInt32) -> Bool {
    (isListed(value) && intersections.allSatisfy { $0.isMember(value) }) != isNegated
  }

  private func isListed(_ value: UInt32) -> Bool {
    let table = CharacterTable.shared
    if categories.bits != 0, table.isIn(categories, value) { return true }
    if properties != 0, table.entry(of: value) & properties != 0 { return true }
    if isInRanges(value) { return true }
    return subsets.contains { $0.isMember(value) }
  }

  private func isInRanges(_ value: UInt32) -> Bool {
    // Ranges may overlap, so the search ends at the first that begins behind the value.
    for range in ranges {
      if range.lowerBound > value { return false }
      if value <= range.upperBound { return true }
    }
    return false
  }
}

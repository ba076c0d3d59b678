/// Cuts where no token of a vocabulary goes across, so that merging runs on short pieces and meets many of them again.
///
/// Merging only ever makes tokens. Where no token holds two characters side by side, no merge joins them, and cutting
/// there changes nothing; unknown characters side by side stay together, because they may become one token.
struct JointSplit: PreTokenizer {
  /// Characters that stand side by side in a token; and, with −1, those that are tokens themselves.
  private let joints: PairTable

  init(_ vocabulary: Vocabulary) {
    var joints = PairTable(capacity: 1024)
    let found = PairTable.Merge(rank: 0, token: 0)
    for token in 0..<Int32(vocabulary.size) {
      guard let text = vocabulary.text(of: token).map(Array.init) else { continue }
      var place = 0
      var last: Int32 = -1
      while place < text.count {
        let next = scalar(of: text.span, at: place)
        let value = Int32(bitPattern: next.value)
        if last >= 0, joints[last, value] == nil { joints.insert(last, value, found) }
        if next.length == text.count { joints.insert(value, -1, found) }
        last = value
        place += next.length
      }
    }
    self.joints = joints
  }

  func split(_ words: inout Words) {
    words.cut(.isolated) { text, range, tell in
      var start = range.lowerBound
      var place = start
      var last: Int32 = -1
      while place < range.upperBound {
        let next = scalar(of: text, at: place)
        let value = Int32(bitPattern: next.value)
        if last >= 0, joints[last, value] == nil, joints[last, -1] != nil || joints[value, -1] != nil {
          tell(start..<place)
          start = place
        }
        last = value
        place += next.length
      }
    }
  }
}

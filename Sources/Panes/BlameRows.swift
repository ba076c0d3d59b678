import Analysis
import Interface
import Workbench

/// What the rows of the Blame view are ordered by.
struct BlameSort: Sendable, Equatable {
  private(set) var key = Blame.Sort.added
  var isReversed = false
  /// Of a layer's channels: by number, not by what the layer adds to them.
  private(set) var isByNumber = false

  /// Goes to the next key; in the direction that shows first what matters.
  mutating func next(ofChannels: Bool) {
    isReversed = false
    guard !ofChannels else {
      isByNumber.toggle()
      return
    }
    let all = Blame.Sort.allCases
    key = all[((all.firstIndex(of: key) ?? 0) + 1) % all.count]
  }

  func text(ofChannels: Bool) -> String {
    let isDescending = (ofChannels ? !isByNumber : key.isDescending) != isReversed
    return "sort:\(ofChannels ? isByNumber ? "channel" : "added" : key.rawValue)\(isDescending ? "↓" : "")"
  }
}

/// The rows of the Blame view: the layers of the candidate, or the channels of the one that is opened.
struct BlameRows {
  struct Channel {
    var number: Int
    /// Of what the layer adds, 0…1.
    var share: Double
    var energies: Blame.Energies
  }

  /// What the layers are worked out from, once for each change of it.
  struct Question: Sendable, Equatable {
    var blame: Blame?
    var matcher: LayerMatcher
    var sort: BlameSort
  }

  /// `nil` where there is no candidate.
  let shown: ShownBlame?
  /// Filtered and sorted.
  let layers: [Blame.Layer]
  /// Layers there are, whether they match or not.
  let total: Int
  let opened: Blame.Layer?
  /// Of the layer that is opened.
  let channels: [Channel]

  /// `nil` where another table is seen.
  init?(
    _ state: State, filter: String, sort: BlameSort, opened name: String?,
    memo: Memo<Question, [Blame.Layer]>
  ) {
    guard state.blame.isShown else { return nil }
    shown = state.shownBlame
    let blame = shown?.report?.blame
    let question = Question(blame: blame, matcher: LayerMatcher(filter, state), sort: sort)
    layers = memo.answer(question) {
      let matches = question.matcher.test()
      let sorted = (blame?.sorted(by: sort.key) ?? []).filter {
        matches($0.name, $0.operatorName, $0.name)
      }
      return sort.isReversed ? sorted.reversed() : sorted
    }
    total = blame?.layers.count ?? 0
    opened = name.flatMap { blame?[layer: $0] }
    let all = (opened?.channelsByAdded ?? []).map {
      Channel(number: $0.channel, share: $0.share, energies: $0.energies)
    }
    let inOrder = sort.isByNumber ? all.sorted { $0.number < $1.number } : all
    channels = sort.isReversed ? inOrder.reversed() : inOrder
  }

  var count: Int { opened == nil ? layers.count : channels.count }

  /// The layer of each row.
  var names: [String?] {
    opened.map { Array(repeating: $0.name, count: channels.count) } ?? layers.map(\.name)
  }

  /// Where the cursor goes so that it is on a layer.
  func cursor(at layer: String?, from cursor: Int) -> Int {
    opened != nil ? cursor : layers.firstIndex { $0.name == layer } ?? cursor
  }
}

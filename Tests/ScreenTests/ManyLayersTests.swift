import Foundation
import Graph
import Interface
import Operators
import Quantization
import Screen
import Tensors
import Testing
import Workbench
import Workflows

@testable import Panes

/// A chain of pointwise convolutions of these names, of 4, 8, 12 … weights.
func chainModel(_ names: [String]) throws -> Model {
  let conv = try #require(Catalog.find(domain: "", type: "Conv"))
  var constants: [ValueName: Tensor] = [:]
  var nodes: [Node] = []
  var value: ValueName = "image"
  for (index, name) in names.enumerated() {
    let weight = ValueName("w\(index)")
    constants[weight] = Tensor([0.5, -0.25, 0.125, Float(index % 7)], shape: [2, 2, 1, 1])
    let output = ValueName("v\(index)")
    nodes.append(
      Node(
        name: name, op: try conv.init(attributes: ["kernel_shape": .ints([1, 1])]), inputs: [value, weight],
        outputs: [output]))
    value = output
  }
  func info(_ name: ValueName) -> ValueInfo {
    ValueInfo(name: name, type: .float32, dimensions: [.free("N"), .fixed(2), .fixed(2), .fixed(2)])
  }
  return try Model(
    source: Graph(
      name: "chain", inputs: [info("image")], outputs: [info(value)], constants: constants, nodes: nodes),
    path: "chain.onnx", format: "onnx")
}

/// `model.layers.N.blockM.convK`.
private func manyNames(_ count: Int) -> [String] {
  (0..<count).map { "model.layers.\($0 / 10).block\($0 / 5 % 2).conv\($0 % 5)" }
}

/// Rows are worked out once for each change, however often they are asked for: what keeps a key cheap.
@Test func rowsAreWorkedOutOncePerChange() throws {
  let size = Size(width: 120, height: 36)
  var state = State()
  _ = state.update(.opened(try Project(model: chainModel(manyNames(200)), threads: 2), nil))
  var pane = LayersPane()
  func press(_ keys: String) {
    for case .key(let key) in KeyScript.steps(keys) {
      if case .done(let outputs) = pane.handle(key, state, size: size) {
        for case .act(let action) in outputs {
          _ = state.update(action)
          pane.follow(state)
        }
      }
      var canvas = Canvas(size)
      pane.draw(on: &canvas, in: Rect(x: 0, y: 0, width: 120, height: 36), state, isFocused: true)
      _ = pane.note(state) + pane.foot(state)
    }
  }
  func worked(_ keys: String) -> Int {
    let before = pane.rowsWorkedOut
    press(keys)
    return pane.rowsWorkedOut - before
  }
  press("j")
  #expect(worked("j j k G g space v j v pgdn A") == 0)
  #expect(worked("o") == 1)
  #expect(worked("O") == 1)
  #expect(worked("F h") == 1, "the tree; h only goes up")
  #expect(worked("h") == 1, "closes")
  #expect(worked("/ b l o") == 3)
  let recipe = try #require(state.currentEntry).recipe.key
  let grid = LayerDetail.Grid(lower: -1, upper: 1, step: 0.1, levels: 21, clipped: 0.2, sqnrDb: 20)
  let layer = "model.layers.3.block0.conv1"
  _ = state.update(.selectLayer(layer))
  var detail = LayerDetail(layer: layer, recipe: recipe)
  detail.weightGrid = grid
  _ = state.update(.showDetail(detail))
  #expect(state.layerFigures.clipped[layer]?.weights == 0.2)
  #expect(worked("enter") == 0, "figures that neither sort nor filter")
  _ = state.update(
    .edit(layers: ["model.layers.0.block0.conv0"], change: .init(mode: .float), title: "float"))
  #expect(worked("k") == 1)
}

/// The least time of a key with its frame, in a model of so many layers, moving through all of its list.
private func leastTimeOfAKey(layers: Int) throws -> Duration {
  let size = Size(width: 120, height: 36)
  var state = State()
  _ = state.update(.opened(try Project(model: chainModel(manyNames(layers)), threads: 2), nil))
  var screen = fixtureScreen()
  _ = play("", &screen, &state, size)
  _ = screen.draw(state, size: size)
  var least = Duration.seconds(1000)
  for case .key(let key) in KeyScript.steps("j j j j j j pgdn pgdn j j G k k k g j j j") {
    let time = ContinuousClock().measure {
      _ = screen.handle(.key(key), &state)
      _ = screen.draw(state, size: size)
    }
    least = min(least, time)
  }
  #expect(state.layerViews.count == layers)
  return least
}

/// The least time of each of these keys, with its frame, in a model of so many layers.
private func leastTimes(layers: Int, keys: [String]) throws -> [Duration] {
  let size = Size(width: 120, height: 36)
  var state = State()
  _ = state.update(.opened(try Project(model: chainModel(manyNames(layers)), threads: 2), nil))
  var screen = fixtureScreen()
  _ = play("", &screen, &state, size)
  return try keys.map { key in
    var least = Duration.seconds(1000)
    for _ in 0..<3 {
      let time = ContinuousClock().measure {
        _ = play(key, &screen, &state, size)
        _ = screen.draw(state, size: size)
      }
      least = min(least, time)
      _ = play("esc", &screen, &state, size)
    }
    try #require(state.layerViews.count == layers)
    return least
  }
}

/// A letter of the filter, and the tree, take time for each layer, not for each pair of layers.
@Test func filterAndTreeGrowNoFasterThanTheLayers() throws {
  let keys = ["/ c", "/ text:op:conv", "F", "o"]
  let few = try leastTimes(layers: 500, keys: keys)
  let many = try leastTimes(layers: 4000, keys: keys)
  for (key, (small, large)) in zip(keys, zip(few, many)) {
    // Eight times as many layers: quadratic work would take 64 times as long.
    #expect(large < small * 24, "\(key): \(large), \(small) with an eighth of the layers")
  }
}

@Test func tenThousandLayersScrollLikeAHundred() throws {
  let few = try leastTimeOfAKey(layers: 100)
  let many = try leastTimeOfAKey(layers: 10_000)
  // Key to screen is to take 5 ms at most; without optimisation a hundred layers take longer than that.
  #expect(
    many < max(few * 3, .milliseconds(5)), "\(many) for a key and its frame, \(few) with a hundred layers")
}

import Interface
import Panes
import Workbench

extension Screen {
  /// Goes to the layer that the focused pane is about, in the table of layers, whatever hides it there.
  mutating func jump(_ state: inout State) -> [Request] {
    let isTable = focus == .layers && state.steps.view == nil && !state.blame.isShown
    guard !isTable else {
      say(Toast(.info, "From another pane or view it goes to the layer that it is about."), state)
      return []
    }
    guard let layer = panes[focus.rawValue - 1].pointedLayer(state), state.layerList[layer] != nil else {
      say(Toast(.info, "\(focus.title) is about no layer now."), state)
      return []
    }
    var requests: [Request] = []
    if state.steps.view != nil { requests += apply(.showSteps(nil), &state) }
    if state.blame.isShown { requests += apply(.showBlame(false), &state) }
    show(.layers)
    let index = PaneKind.layers.rawValue - 1
    if var pane = panes[index] as? LayersPane {
      pane.reveal(layer, state, size: inside(.layers))
      panes[index] = pane
    }
    return requests + apply(.selectLayer(layer), &state)
  }
}

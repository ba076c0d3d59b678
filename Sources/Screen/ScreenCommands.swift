import Graph
import Interface
import Panes
import Quantization
import Workbench

/// What the keys do that work in every pane.
enum ScreenStep: Sendable {
  case focus(PaneKind)
  case jump
  case nextPane(Int)
  case tab(Int)
  case zoom(Int)
  case mode(Int)
  case weightBits(Int)
  case run
  case runStale
  case cancel
  case pause
  case stopTraining
  case new
  case delete
  case duplicate
  case rename
  case baseline
  case export
  case advise
  case search
  case open
  case copy
  case write
  case tour
  case undo
  case redo
  case changes
  case help
  case palette
  case themes
  case mouse
  case width(Int)
  case height(Int)
  case resetLayout
  case graphForm
  case redraw
  case suspend
  case quit
  case interrupt
}

extension Screen {
  /// Commands of the whole screen; panes' own come first.
  static let commands = CommandTable<State, ScreenStep>(
    [
      Command(
        "help", keys: [.character("?"), .function(1)], title: "help",
        explanation: "List every command here and everywhere; enter runs one.", group: "Lathe", hint: 0,
        action: .help),
      Command(
        "palette", keys: [.character(":"), .control("p")], title: "command",
        explanation: "Find a command by typing part of its name.", group: "Lathe", hint: 1, action: .palette),
      Command(
        "run", keys: [.character("r"), .function(5)], title: "run",
        explanation: "Quantize and measure the current candidate beside float32.", group: "Candidate",
        hint: 14,
        action: .run,
        availability: { state in
          guard let entry = state.currentEntry else {
            return .unavailable(state.keys.noCandidate)
          }
          return .when(
            state.job(of: entry.id) == nil,
            else: "\(entry.title) is running already; \(state.keys["cancel"]) cancels it.")
        }),
      Command(
        "run-stale", keys: [.character("R")], title: "run all",
        explanation: "Measure every candidate that changed since it was measured.", group: "Candidate",
        action: .runStale,
        availability: { state in
          .when(
            state.candidates.contains { state.trials[$0.recipe.key] == nil },
            else: "Every candidate is measured as it is.")
        }),
      Command(
        "cancel", keys: [.character("x")], title: "cancel", explanation: "Cancel the oldest running job.",
        group: "Candidate", action: .cancel,
        availability: { .when(!$0.activeJobs.isEmpty, else: "No job is running.") }),
      Command(
        "pause", keys: [.character("p")], title: "pause",
        explanation: "Let the oldest job stand still, or go on.", group: "Candidate", action: .pause,
        availability: { .when(!$0.activeJobs.isEmpty, else: "No job is running.") }),
      Command(
        "stop-training", keys: [.character("X")], title: "keep best",
        explanation: "End the training of the current candidate and keep its best epoch.", group: "Candidate",
        hint: 11, action: .stopTraining,
        availability: {
          .when(
            $0.activeTraining(of: $0.current)?.phase == .running, else: "The candidate is not being trained.")
        }),
      Command(
        "mode", keys: [.character("m")], title: "mode",
        explanation:
          "Next mode for the marked layers or the one under the cursor: float, static, dynamic, qat, weight-only.",
        group: "Recipe", hint: 12, action: .mode(1), availability: hasScope),
      Command(
        "mode-back", keys: [.character("M")], title: "mode back", explanation: "The mode before.",
        group: "Recipe",
        action: .mode(-1), availability: hasScope),
      Command(
        "bits-up", keys: [.character("b")], title: "bits up", explanation: "More weight bits for the scope.",
        group: "Recipe", hint: 13, action: .weightBits(1), availability: hasScope),
      Command(
        "bits-down", keys: [.character("B")], title: "bits down",
        explanation: "Fewer weight bits for the scope.",
        group: "Recipe", hint: 19, action: .weightBits(-1), availability: hasScope),
      Command(
        "new", keys: [.character("n")], title: "new", explanation: "Make a candidate from a preset.",
        group: "Candidate", hint: 15, action: .new, availability: hasProject),
      Command(
        "duplicate", keys: [.character("c")], title: "duplicate", explanation: "Copy the current candidate.",
        group: "Candidate", action: .duplicate, availability: hasCandidate),
      Command(
        "delete", keys: [.character("d")], title: "delete",
        explanation: "Delete the current candidate; undo brings it back.",
        group: "Candidate", action: .delete, availability: hasCandidate),
      Command(
        "rename", keys: [.character("i")], title: "rename", explanation: "Rename the current candidate.",
        group: "Candidate", action: .rename, availability: hasCandidate),
      Command(
        "baseline", keys: [.character("*")], title: "baseline",
        explanation: "Make the current candidate the baseline, or float32 again.", group: "Candidate",
        action: .baseline, availability: hasCandidate),
      Command(
        "export", keys: [.character("e")], title: "export",
        explanation: "Write the recipe, a toolkit's configuration or the quantized model.",
        group: "Candidate",
        hint: 16, action: .export, availability: hasCandidate),
      Command(
        "advise", keys: [.character("V")], title: "advice",
        explanation: "Should this model be quantized here, how, and why; measures presets first.",
        group: "Lathe", action: .advise, availability: hasProject),
      Command(
        "search", keys: [.character("S")], title: "search",
        explanation:
          "Find mode, width and method for every layer, the best within a budget: costs of layers add up, a knapsack, points of its front measured.",
        group: "Candidate", action: .search, availability: hasProject),
      Command(
        "open", keys: [.character("f")], title: "open",
        explanation: "Browse for another model, for data, or for a recipe to make a candidate of.",
        group: "Lathe", action: .open),
      Command(
        "copy", keys: [.character("y")], title: "copy",
        explanation: "Copy what the pane shows, as text; in Config the current recipe.",
        group: "View", action: .copy),
      Command(
        "write", keys: [.character("W")], title: "write",
        explanation: "Write what the pane shows, as text, to a file.", group: "View", action: .write),
      Command(
        "tour", keys: [.character("H")], title: "hints",
        explanation: "Dismiss the hints for the first time, or show them again.", group: "Lathe",
        action: .tour),
      Command(
        "undo", keys: [.character("z")], title: "undo", explanation: "Take the last change back.",
        group: "Recipe",
        hint: 18, action: .undo,
        availability: { .when(!$0.history.done.isEmpty, else: "There is nothing to undo.") }),
      Command(
        "redo", keys: [.character("Z"), .control("r")], title: "redo",
        explanation: "Do again what was undone.",
        group: "Recipe", action: .redo,
        availability: { .when(!$0.history.undone.isEmpty, else: "There is nothing to redo.") }),
      Command(
        "changes", keys: [.character("U")], title: "changes",
        explanation: "List the changes made and taken back, and go to any of them.", group: "Recipe",
        action: .changes,
        availability: { .when(!$0.history.titles.isEmpty, else: "Nothing was changed yet.") }),
      Command(
        "next-pane", keys: [.tab], title: "pane", explanation: "Go to the next pane.", group: "View",
        hint: 60,
        action: .nextPane(1)),
      Command(
        "previous-pane", keys: [.backTab], title: "pane back", explanation: "Go to the pane before.",
        group: "View",
        action: .nextPane(-1)),
      Command(
        "next-tab", keys: [.character("]")], title: "tab",
        explanation: "Next tab of the panes that share a place.",
        group: "View", action: .tab(1)),
      Command(
        "previous-tab", keys: [.character("[")], title: "tab back", explanation: "The tab before.",
        group: "View",
        action: .tab(-1)),
      Command(
        "zoom-in", keys: [.character("+")], title: "zoom",
        explanation: "More room for the pane: half, then all.",
        group: "View", action: .zoom(1)),
      Command(
        "zoom-out", keys: [.character("_"), .character("-")], title: "zoom out",
        explanation: "Less room for the pane.",
        group: "View", action: .zoom(-1)),
      Command(
        "training", keys: [.character("T")], title: "training",
        explanation: "Go to the Training view: loss, and what the epochs score.", group: "View", hint: 11,
        action: .focus(.training),
        availability: {
          .when(
            $0.currentEntry?.trains ?? false,
            else: "No layer of the candidate is trained: \($0.keys["mode"]) gives layers the mode qat.")
        }),
      Command(
        "jump", keys: [.character("L")], title: "to layer",
        explanation:
          "Go to the layer that this pane is about: the worst, the one that differs most, the one named.",
        group: "View", action: .jump,
        availability: { .when(!$0.layerViews.isEmpty, else: "There are no layers to go to.") }),
      Command(
        "themes", keys: [.character("t")], title: "theme", explanation: "Choose a theme, with preview.",
        group: "Lathe",
        action: .themes),
      Command(
        "mouse", keys: [.character("%")], title: "mouse",
        explanation: "Leave the mouse to the terminal, or take it back.", group: "Lathe", action: .mouse),
      Command(
        "wider", keys: [.character(">")], title: "wider", explanation: "Make the pane wider.", group: "View",
        action: .width(2)),
      Command(
        "narrower", keys: [.character("<")], title: "narrower", explanation: "Make the pane narrower.",
        group: "View", action: .width(-2)),
      Command(
        "higher", keys: [.character("}")], title: "higher", explanation: "Make the pane higher.",
        group: "View", action: .height(1)),
      Command(
        "lower", keys: [.character("{")], title: "lower", explanation: "Make the pane lower.", group: "View",
        action: .height(-1)),
      Command(
        "reset-layout", keys: [.character("=")], title: "reset sizes",
        explanation: "Give every pane the size it came with.", group: "View", action: .resetLayout),
      Command(
        "graph", keys: [.character("#")], title: "graphs",
        explanation: "Draw graphs in block, ASCII or braille characters.", group: "View", action: .graphForm),
      Command(
        "redraw", keys: [.control("l")], title: "redraw", explanation: "Draw the screen anew.",
        group: "Lathe",
        action: .redraw),
      Command(
        "suspend", keys: [.control("z")], title: "suspend", explanation: "Stop; fg comes back.",
        group: "Lathe",
        action: .suspend),
      Command(
        "quit", keys: [.character("q"), .function(10)], title: "quit",
        explanation: "Close; asks while jobs run.", group: "Lathe", hint: 90, action: .quit),
      Command(
        "interrupt", keys: [.control("c")], title: "quit now",
        explanation: "Close; asks once while jobs run.",
        group: "Lathe", action: .interrupt),
    ]
      + PaneKind.allCases.map { kind in
        Command(
          "pane-\(kind.rawValue)", keys: [.character(Character("\(kind.rawValue)"))], title: kind.title,
          explanation: "Go to the pane \(kind.title).", group: "View", action: .focus(kind))
      })

  private static let hasProject: @Sendable (State) -> Availability = {
    .when($0.project != nil, else: "No model is open.")
  }

  private static let hasCandidate: @Sendable (State) -> Availability = {
    .when($0.currentEntry != nil, else: $0.keys.noCandidate)
  }

  private static let hasScope: @Sendable (State) -> Availability = {
    .when($0.currentEntry != nil && !$0.scope.isEmpty, else: "Select a layer and make a candidate first.")
  }
}

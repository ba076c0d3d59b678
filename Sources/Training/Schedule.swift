import Glibc
import Quantization

/// How the learning rate changes from step to step.
///
/// factor(k) = min(1, (k + 1) / warm-up) · shape(k), with k from 0 and all steps of the training in `steps`:
/// constant 1; step 1, 0.1 from half of the steps and 0.01 from three quarters; cosine ½ (1 + cos(π k / steps)).
package struct Schedule: Sendable, Hashable {
  package var shape: TrainingSettings.Schedule
  /// Steps until the rate is full; 0 or 1 for none.
  package var warmUp: Int
  /// Steps in all epochs.
  package var steps: Int

  package init(_ shape: TrainingSettings.Schedule, warmUp: Int = 0, steps: Int) {
    precondition(warmUp >= 0 && steps > 0, "at least one step")
    self.shape = shape
    self.warmUp = warmUp
    self.steps = steps
  }

  package init(_ settings: TrainingSettings, steps: Int) {
    self.init(settings.schedule, warmUp: settings.warmUp, steps: steps)
  }

  /// What the learning rate is multiplied by at a step, 0…1; steps after the last are as the end of the last.
  package func factor(_ step: Int) -> Double {
    let rise = warmUp > 1 ? min(1, Double(step + 1) / Double(warmUp)) : 1
    let done = min(Double(step) / Double(steps), 1)
    return switch shape {
    case .constant: rise
    case .step: rise * (done < 0.5 ? 1 : done < 0.75 ? 0.1 : 0.01)
    case .cosine: rise * 0.5 * (1 + cos(.pi * done))
    }
  }
}

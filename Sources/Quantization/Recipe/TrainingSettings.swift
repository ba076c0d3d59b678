/// How quantization-aware training runs.
package struct TrainingSettings: Sendable, Hashable {
  package enum Optimizer: String, Sendable, Hashable, CaseIterable {
    /// Gradient descent with momentum.
    case sgd
    case adam
    /// Adam whose weight decay takes no part in the gradient.
    case adamw
  }

  /// How the learning rate changes after the warm-up.
  package enum Schedule: String, Sendable, Hashable, CaseIterable {
    case constant
    /// A tenth after half of the steps, a hundredth after three quarters.
    case step
    /// Falls to zero along half a cosine.
    case cosine
  }

  /// What is learned of the encodings (DESIGN "Learned scales").
  package enum Scales: String, Sendable, Hashable, CaseIterable {
    /// The scales of weights and activations.
    case lsq
    /// The scales, and the offsets of affine activations.
    case lsqPlus = "lsq+"
    /// Scales of weights, and where unsigned activations are clipped.
    case pact
    /// Nothing: encodings stay as calibration left them.
    case fixed
  }

  package enum BatchNorm: String, Sendable, Hashable, CaseIterable {
    /// Folded into the layer before it, before training.
    case fold
    /// Trained with running statistics until its milestone.
    case train
  }

  /// Learning from the outputs of the float32 network.
  package struct Distillation: Sendable, Hashable {
    /// Both outputs are divided by this before their softmax.
    package var temperature: Double
    /// Share of this loss, 0…1; the labels have the rest.
    package var weight: Double

    package init(temperature: Double = 2, weight: Double = 1) {
      self.temperature = temperature
      self.weight = weight
    }
  }

  /// Random changes to training images, instead of those the dataset card asks for.
  package struct Augmentation: Sendable, Hashable {
    /// Mirrors half of the images.
    package var flip: Bool
    /// Moves the image by up to this many pixels each way.
    package var crop: Int

    package init(flip: Bool = false, crop: Int = 0) {
      self.flip = flip
      self.crop = crop
    }
  }

  /// Epochs, from 0, at whose start the way of training changes.
  package struct Milestones: Sendable, Hashable {
    /// Fake quantization starts; before it the network trains in float.
    package var quantize: Int
    /// Offsets of activations and the ranges of observers stay as they are from here; `nil` never.
    package var freezeObservers: Int?
    /// Statistics of batch norm stay as they are from here; `nil` never.
    package var freezeBatchNorm: Int?

    package init(quantize: Int = 0, freezeObservers: Int? = nil, freezeBatchNorm: Int? = nil) {
      self.quantize = quantize
      self.freezeObservers = freezeObservers
      self.freezeBatchNorm = freezeBatchNorm
    }
  }

  package var epochs = 8
  package var learningRate = 1e-3
  /// Factor on the learning rate of scales and offsets.
  package var scaleRate = 0.2
  /// Samples in one step.
  package var batch = 64
  package var optimizer = Optimizer.adam
  /// For `sgd`.
  package var momentum = 0.9
  /// Spares scales, biases and norms.
  package var weightDecay = 0.0
  package var schedule = Schedule.cosine
  /// Steps over which the learning rate rises from the start.
  package var warmUp = 20
  /// Largest norm of all gradients together; 0 for no limit.
  package var clip = 10.0
  package var scales = Scales.lsq
  package var batchNorm = BatchNorm.fold
  /// `nil` leaves it to the data: labels alone where there are any.
  package var distill: Distillation?
  /// Weight of the distance between feature maps of the float32 network and of this one.
  package var features = 0.0
  /// `nil` does what the dataset card says.
  package var augment: Augmentation?
  package var milestones = Milestones()
  /// Whether layers in mode `float` keep their weights.
  package var freezeFloat = false
  /// Share of the training data held back to choose the best epoch.
  package var holdOut = 0.1
  package var seed: UInt64 = 1

  package init() {}

  package init(epochs: Int, distill: Distillation? = nil) {
    self.epochs = epochs
    self.distill = distill
  }

  package init(distill: Distillation) { self.distill = distill }
}

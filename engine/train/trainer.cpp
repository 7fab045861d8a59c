#include "engine/train/trainer.h"

#include <fmt/format.h>

#include <algorithm>

#include "engine/backend/out_of_memory.h"

namespace residual {

namespace {

std::string images_text(int64_t batch_size) {
    return batch_size == 1 ? "one image" : fmt::format("{} images", batch_size);
}

}  // namespace

ops::LossResult compute_gradients(Backend& backend, const nn::Module& model, nn::Parameters& parameters,
                                  const Batch& batch, const Tensor& totals) {
    Tape tape;
    Context context{backend, &tape, true};
    parameters.clear_gradients();
    ops::LossResult result = ops::softmax_cross_entropy(context, model.forward(context, Variable(batch.images, false)),
                                                        batch.labels, totals);
    tape.backward(backend, result.loss);
    parameters.zero_unused_gradients(backend);
    return result;
}

Trainer::Trainer(Backend& backend, const nn::Module& model, nn::Parameters& parameters, Batches batches,
                 const OptimizerConfig& optimizer, const ScheduleConfig& schedule)
    : batches_(std::move(batches)),
      optimizer_(backend, parameters, optimizer, schedule),
      schedule_(schedule),
      totals_(backend),
      recorder_(backend,
                [this, &backend, &model, &parameters] {
                    compute_gradients(backend, model, parameters, batches_.next(optimizer_.step()), totals_.sums());
                    optimizer_.update(batch_size(), totals_.sums());
                }),
      completed_(backend.make_progress_counter()) {}

void Trainer::update() {
    try {
        recorder_.run();
    } catch (const std::exception& error) {
        // A resumed run must keep its batch size.
        rethrow_with_purpose(error, "a training step on " + images_text(batch_size()),
                             batch_size() == 1 ? "" : "start a run with a smaller train.batch_size");
    }
    set_step(step_ + 1);
}

void Trainer::update_eagerly() {
    recorder_.run_eagerly();
    set_step(step_ + 1);
}

void Trainer::restore(int64_t step, const kernels::Metrics& sums) {
    optimizer_.set_step(step);
    totals_.write(sums);
    set_step(step);
}

void Trainer::set_step(int64_t step) {
    step_ = step;
    completed_->advance(step);
}

namespace {

std::optional<Evaluation> evaluate_batches(const std::atomic<int>& stop, Backend& backend, const nn::Module& model,
                                           Batches& batches, std::vector<float>* logits) {
    Context context{backend, nullptr, false};
    Totals totals(backend);
    const int64_t samples = batches.samples();
    const int64_t size = batches.batch_size();
    for (int64_t step = 0; step * size < samples; ++step) {
        if (stop != 0) return std::nullopt;
        const Batch batch = batches.get(step);
        const Tensor all = model.forward(context, Variable(batch.images, false)).value();
        // The last batch may extend into the next epoch; those rows do not count.
        const int64_t rows = std::min(size, samples - step * size);
        const Tensor counted = all.view(0, {rows, all.shape()[1]});
        ops::softmax_cross_entropy(context, Variable(counted, false), batch.labels.view(0, {rows}), totals.sums());
        if (logits) {
            const size_t filled = logits->size();
            logits->resize(filled + counted.elements());
            backend.download(counted, logits->data() + filled);
        }
    }
    const Averages averages = totals.take();
    return Evaluation{averages.cross_entropy, averages.accuracy};
}

}  // namespace

std::optional<Evaluation> evaluate_unless(const std::atomic<int>& stop, Backend& backend, const nn::Module& model,
                                          Batches& batches, std::vector<float>* logits) {
    try {
        return evaluate_batches(stop, backend, model, batches, logits);
    } catch (const std::exception& error) {
        rethrow_with_purpose(error, "an evaluation of " + images_text(batches.batch_size()));
    }
}

Evaluation evaluate(Backend& backend, const nn::Module& model, Batches& batches, std::vector<float>* logits) {
    const std::atomic<int> never = 0;
    return *evaluate_unless(never, backend, model, batches, logits);
}

}  // namespace residual

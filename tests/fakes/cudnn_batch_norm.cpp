// cuDNN's batch norm functions: forward in evaluation, backward in training.
#include <cmath>

#include "tests/fakes/cudnn_objects.h"

namespace fakes {
namespace {

struct BatchNormGeometry {
    size_t rows, channels;
    Storage storage;

    size_t elements() const { return rows * channels; }
    size_t bytes() const { return elements() * bytes_of(storage); }
    size_t parameter_bytes() const { return channels * sizeof(float); }
};

// `activations`: the descriptors of x and y, or of x, dy and dx, which must be equal.
BatchNormGeometry geometry_of(cudnnBatchNormMode_t mode, const std::vector<cudnnTensorDescriptor_t>& activations,
                              cudnnTensorDescriptor_t parameter_descriptor, double epsilon) {
    if (mode != CUDNN_BATCHNORM_SPATIAL) throw Misuse("the fake cuDNN has only spatial batch norm");
    const auto& x = tensor_at(activations[0], "the descriptor of x");
    for (const auto descriptor : activations) {
        const auto& other = tensor_at(descriptor, "a descriptor of an activation");
        require(other.type == x.type && other.format == x.format && other.n == x.n && other.c == x.c &&
                    other.h == x.h && other.w == x.w,
                CUDNN_STATUS_BAD_PARAM_SHAPE_MISMATCH, "the activations differ in shape, type or layout");
    }
    if (x.format != CUDNN_TENSOR_NHWC) throw Misuse("the fake cuDNN has batch norm only for NHWC");
    const auto& parameter = tensor_at(parameter_descriptor, "the descriptor of the parameters");
    require(parameter.n == 1 && parameter.c == x.c && parameter.h == 1 && parameter.w == 1,
            CUDNN_STATUS_BAD_PARAM_SHAPE_MISMATCH, "the parameters are not one number for each channel of x");
    require(parameter.type == CUDNN_DATA_FLOAT, CUDNN_STATUS_BAD_PARAM, "the parameters are not float32");
    require(epsilon >= CUDNN_BN_MIN_EPSILON, CUDNN_STATUS_BAD_PARAM, "epsilon is less than CUDNN_BN_MIN_EPSILON");
    return {size_t(x.n) * x.h * x.w, size_t(x.c), storage_of(x.type)};
}

Blend blend_of(const void* alpha, const void* beta) {
    require_pointer(alpha, "alpha");
    require_pointer(beta, "beta");
    return {*static_cast<const float*>(alpha), *static_cast<const float*>(beta)};
}

// Called when the operation is queued and again when it runs, which may be later, in a graph replay.
void require_arrays(const std::vector<DeviceArray>& inputs, const std::vector<DeviceArray>& outputs) {
    for (const DeviceArray& input : inputs) require_array(input);
    for (auto output = outputs.begin(); output != outputs.end(); ++output) {
        require_array(*output);
        require_disjoint(*output, inputs);
        require_disjoint(*output, {outputs.begin(), output});
    }
}

std::vector<float> parameters_at(const void* pointer, const BatchNormGeometry& g) {
    return read_array(pointer, Storage::kFloat32, g.channels);
}

struct Statistics {
    std::vector<double> mean, inverse_std;
};

Statistics statistics_of(const std::vector<float>& x, const BatchNormGeometry& g, double epsilon) {
    Statistics s{std::vector<double>(g.channels), std::vector<double>(g.channels)};
    const auto rows = static_cast<double>(g.rows);
    for (size_t i = 0; i < x.size(); ++i) s.mean[i % g.channels] += x[i] / rows;
    for (size_t i = 0; i < x.size(); ++i) {
        const double distance = x[i] - s.mean[i % g.channels];
        s.inverse_std[i % g.channels] += distance * distance / rows;
    }
    for (double& value : s.inverse_std) value = 1 / std::sqrt(value + epsilon);
    return s;
}

struct Gradients {
    std::vector<float> dx, dgamma, dbeta;
};

Gradients gradients_of(const std::vector<float>& x, const std::vector<float>& dy, const std::vector<float>& gamma,
                       const Statistics& s, const BatchNormGeometry& g) {
    const auto normalised = [&](size_t i) { return (x[i] - s.mean[i % g.channels]) * s.inverse_std[i % g.channels]; };
    std::vector<double> dgamma(g.channels), dbeta(g.channels);
    for (size_t i = 0; i < x.size(); ++i) {
        dgamma[i % g.channels] += dy[i] * normalised(i);
        dbeta[i % g.channels] += dy[i];
    }
    Gradients result{std::vector<float>(x.size()), {dgamma.begin(), dgamma.end()}, {dbeta.begin(), dbeta.end()}};
    const auto rows = static_cast<double>(g.rows);
    for (size_t i = 0; i < x.size(); ++i) {
        const size_t c = i % g.channels;
        result.dx[i] = static_cast<float>(gamma[c] * s.inverse_std[c] *
                                          (dy[i] - dbeta[c] / rows - normalised(i) * dgamma[c] / rows));
    }
    return result;
}

}  // namespace
}  // namespace fakes

using namespace fakes;

cudnnStatus_t cudnnBatchNormalizationForwardInference(cudnnHandle_t handle, cudnnBatchNormMode_t mode,
                                                      const void* alpha, const void* beta,
                                                      cudnnTensorDescriptor_t x_descriptor, const void* x,
                                                      cudnnTensorDescriptor_t y_descriptor, void* y,
                                                      cudnnTensorDescriptor_t parameter_descriptor, const void* gamma,
                                                      const void* shift, const void* mean, const void* variance,
                                                      double epsilon) {
    return status_of(__func__, [&] {
        const cudaStream_t stream = live_stream(cudnn_at(handle));
        const Blend blend = blend_of(alpha, beta);
        const BatchNormGeometry g = geometry_of(mode, {x_descriptor, y_descriptor}, parameter_descriptor, epsilon);
        const std::vector<DeviceArray> inputs = {{"x", x, g.bytes()},
                                                 {"bnScale", gamma, g.parameter_bytes()},
                                                 {"bnBias", shift, g.parameter_bytes()},
                                                 {"estimatedMean", mean, g.parameter_bytes()},
                                                 {"estimatedVariance", variance, g.parameter_bytes()}};
        const DeviceArray output{"y", y, g.bytes()};
        require_arrays(inputs, {output});
        queue(stream, __func__, [=] {
            require_arrays(inputs, {output});
            std::vector<float> values = read_array(x, g.storage, g.elements());
            const auto scales = parameters_at(gamma, g), shifts = parameters_at(shift, g);
            const auto means = parameters_at(mean, g), variances = parameters_at(variance, g);
            for (size_t i = 0; i < values.size(); ++i) {
                const size_t c = i % g.channels;
                const double normalised = (double{values[i]} - means[c]) / std::sqrt(variances[c] + epsilon);
                values[i] = static_cast<float>(scales[c] * normalised + shifts[c]);
            }
            write_array(y, g.storage, values, blend);
        });
    });
}

cudnnStatus_t cudnnBatchNormalizationBackward(cudnnHandle_t handle, cudnnBatchNormMode_t mode, const void* alpha_data,
                                              const void* beta_data, const void* alpha_parameter,
                                              const void* beta_parameter, cudnnTensorDescriptor_t x_descriptor,
                                              const void* x, cudnnTensorDescriptor_t dy_descriptor, const void* dy,
                                              cudnnTensorDescriptor_t dx_descriptor, void* dx,
                                              cudnnTensorDescriptor_t parameter_descriptor, const void* gamma,
                                              void* dgamma, void* dbeta, double epsilon, const void* saved_mean,
                                              const void* saved_inverse_std) {
    return status_of(__func__, [&] {
        const cudaStream_t stream = live_stream(cudnn_at(handle));
        const Blend data = blend_of(alpha_data, beta_data), parameter = blend_of(alpha_parameter, beta_parameter);
        const BatchNormGeometry g =
            geometry_of(mode, {x_descriptor, dy_descriptor, dx_descriptor}, parameter_descriptor, epsilon);
        require((saved_mean == nullptr) == (saved_inverse_std == nullptr), CUDNN_STATUS_BAD_PARAM,
                "only one of savedMean and savedInvVariance is null");
        std::vector<DeviceArray> inputs = {
            {"x", x, g.bytes()}, {"dy", dy, g.bytes()}, {"bnScale", gamma, g.parameter_bytes()}};
        if (saved_mean != nullptr) {
            inputs.push_back({"savedMean", saved_mean, g.parameter_bytes()});
            inputs.push_back({"savedInvVariance", saved_inverse_std, g.parameter_bytes()});
        }
        const std::vector<DeviceArray> outputs = {{"dx", dx, g.bytes()},
                                                  {"dBnScaleResult", dgamma, g.parameter_bytes()},
                                                  {"dBnBiasResult", dbeta, g.parameter_bytes()}};
        require_arrays(inputs, outputs);
        queue(stream, __func__, [=] {
            require_arrays(inputs, outputs);
            const auto input = read_array(x, g.storage, g.elements());
            Statistics statistics;
            if (saved_mean == nullptr) {
                statistics = statistics_of(input, g, epsilon);
            } else {
                const auto means = parameters_at(saved_mean, g), inverses = parameters_at(saved_inverse_std, g);
                statistics = {{means.begin(), means.end()}, {inverses.begin(), inverses.end()}};
            }
            const Gradients gradients =
                gradients_of(input, read_array(dy, g.storage, g.elements()), parameters_at(gamma, g), statistics, g);
            write_array(dx, g.storage, gradients.dx, data);
            write_array(dgamma, Storage::kFloat32, gradients.dgamma, parameter);
            write_array(dbeta, Storage::kFloat32, gradients.dbeta, parameter);
        });
    });
}

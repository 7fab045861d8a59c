#include "engine/config/known_keys.h"

namespace residual {
namespace {

class KnownKeys final : public Fields {
  public:
    explicit KnownKeys(const Document& document) : document_(document) {}

    void get(std::string_view key, bool&, const Meaning&) override { add(key); }
    void get(std::string_view key, std::int64_t&, const Range&, const Meaning&) override { add(key); }
    void get(std::string_view key, std::uint64_t&, const Meaning&) override { add(key); }
    void get(std::string_view key, double&, const Range&, const Meaning&) override { add(key); }
    void get(std::string_view key, std::optional<std::string>&, const Meaning&) override { add(key); }
    void get(std::string_view key, std::vector<std::int64_t>&, const Range&, const Meaning&) override { add(key); }
    void get(std::string_view key, std::vector<double>&, const Range&, const Meaning&) override { add(key); }
    void get(std::string_view key, std::optional<std::int64_t>&, const Range&, std::string_view,
             const Meaning&) override {
        add(key);
    }
    void obsolete(std::string_view key, std::string_view) override { add(key); }
    void check(std::string_view, bool, const std::string&) override {}

    const Json& root() const { return root_; }

  private:
    void choose(std::string_view key, std::size_t&, std::span<const std::string_view>, const Meaning&) override {
        add(key);
    }
    void alternatives(std::string_view key, std::size_t index, std::span<const std::string_view> names, const Meaning&,
                      const std::function<void(std::size_t)>& describe) override {
        add(key);
        describe(document_.find_word(at_ / std::string(key), names, index));
    }
    void begin_object(std::string_view key, const Meaning&) override { at_.push_back(std::string(key)); }
    void end_object() override { at_.pop_back(); }

    void add(std::string_view key) { root_[at_ / std::string(key)] = nullptr; }

    const Document& document_;
    Json root_ = Json::object();
    Json::json_pointer at_;
};

}  // namespace

Json known_keys(const Describe& describe, const Document& document) {
    KnownKeys visitor(document);
    describe(visitor);
    return visitor.root();
}

}  // namespace residual

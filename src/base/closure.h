// A function to be called later together with what it captures, which moves with it. As
// std::function is, but for things that can only be moved, and without the exceptions and type
// information behind it. It allocates: where an object and one of its methods will do, see
// callback.h.
#pragma once

#include <memory>
#include <type_traits>
#include <utility>

namespace ocirt {

template <class Signature>
class Closure;

template <class R, class... Args>
class Closure<R(Args...)> {
 public:
  Closure() = default;
  template <class F>
    requires(!std::is_same_v<std::remove_cvref_t<F>, Closure>)
  // A lambda is to be passed as it is, and `requires` leaves copies and moves alone.
  // NOLINTNEXTLINE(google-explicit-constructor,bugprone-forwarding-reference-overload)
  Closure(F&& f) : held_(std::make_unique<Holder<std::remove_cvref_t<F>>>(std::forward<F>(f))) {}

  explicit operator bool() const { return held_ != nullptr; }
  R operator()(Args... args) { return held_->call(std::forward<Args>(args)...); }

 private:
  struct Base {
    Base() = default;
    Base(const Base&) = delete;
    Base& operator=(const Base&) = delete;
    virtual ~Base() = default;
    virtual R call(Args... args) = 0;
  };
  template <class F>
  struct Holder final : Base {
    template <class G>
    explicit Holder(G&& function) : f(std::forward<G>(function)) {}
    R call(Args... args) override { return f(std::forward<Args>(args)...); }
    F f;
  };
  std::unique_ptr<Base> held_;
};

}  // namespace ocirt

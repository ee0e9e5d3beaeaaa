// A function to be called later: a method and the object that it belongs to. Two words, never
// allocates, and unlike std::function it does not bring <functional> along. Whoever keeps a
// callback does not keep its object: the object takes its callbacks back before it dies.
#pragma once

#include <utility>

namespace ocirt {

template <class... Args>
class Callback {
 public:
  constexpr Callback() = default;

  // Callback<int>::to<&Thing::on_number>(thing)
  template <auto Method, class Object>
  static constexpr Callback to(Object& object) {
    return Callback(&object, [](void* self, Args... args) {
      (static_cast<Object*>(self)->*Method)(std::forward<Args>(args)...);
    });
  }

  explicit constexpr operator bool() const { return function_ != nullptr; }
  void operator()(Args... args) const { function_(object_, std::forward<Args>(args)...); }

 private:
  using Function = void (*)(void*, Args...);
  constexpr Callback(void* object, Function function) : object_(object), function_(function) {}
  void* object_ = nullptr;
  Function function_ = nullptr;
};

}  // namespace ocirt

// Views of arrays in as many dimensions as asked for, in place of those that the viewer's `ndarray` writes and compiles
// as it runs, which the policy of the viewer's page forbids. scripts/web_assets.py puts this before the function of that
// name, of which it is the whole.
function compileConstructor(dtype, dimension) {
  class View {
    constructor(data, shape, stride, offset) {
      Object.assign(this, { data, shape, stride, offset: offset | 0, dtype, dimension });
    }
    get size() {
      return dimension < 0 ? 0 : this.shape.reduce((product, length) => product * length, 1);
    }
    get order() {
      return [...this.stride.keys()].sort((a, b) => Math.abs(this.stride[a]) - Math.abs(this.stride[b]));
    }
    index(...at) {
      let index = dimension < 0 ? -1 : this.offset;
      for (let axis = 0; axis < dimension; axis++) {
        index += this.stride[axis] * at[axis];
      }
      return index;
    }
    get(...at) {
      const index = this.index(...at);
      return dtype === "generic" ? this.data.get(index) : this.data[index];
    }
    set(...at) {
      const [index, value] = [this.index(...at), at[dimension]];
      return dtype === "generic" ? this.data.set(index, value) : (this.data[index] = value);
    }
    hi(...ends) {
      const shape = this.shape.map((length, axis) => (ends[axis] >= 0 ? ends[axis] | 0 : length));
      return new View(this.data, shape, [...this.stride], this.offset);
    }
    lo(...starts) {
      const from = this.shape.map((length, axis) => (starts[axis] >= 0 ? starts[axis] | 0 : 0));
      const shape = this.shape.map((length, axis) => length - from[axis]);
      return new View(this.data, shape, [...this.stride], this.index(...from));
    }
    step(...steps) {
      const by = this.shape.map((length, axis) => (typeof steps[axis] === "number" ? steps[axis] | 0 : 1));
      const from = this.shape.map((length, axis) => (by[axis] < 0 ? length - 1 : 0));
      const shape = this.shape.map((length, axis) => Math.ceil(length / Math.abs(by[axis])));
      return new View(this.data, shape, this.stride.map((one, axis) => one * by[axis]), this.index(...from));
    }
    transpose(...axes) {
      const from = this.shape.map((length, axis) => axes[axis] ?? axis);
      return new View(this.data, from.map(axis => this.shape[axis]), from.map(axis => this.stride[axis]), this.offset);
    }
    pick(...at) {
      const kept = [...this.shape.keys()].filter(axis => !(at[axis] >= 0));
      const from = this.shape.map((length, axis) => (at[axis] >= 0 ? at[axis] : 0));
      const [shape, stride] = [this.shape, this.stride].map(of => kept.map(axis => of[axis]));
      return wrappedNDArrayCtor(this.data, shape, stride, this.index(...from));
    }
  }
  return (data, shape, stride, offset) => new View(data, [...(shape ?? [])], [...(stride ?? [])], offset);
}

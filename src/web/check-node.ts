/** In the place of `check-node.cts` in runtimes other than Node, which have no version of Node to check. */
export {}

"""Read and write the documents sealkit works on: pure, no input or output."""
